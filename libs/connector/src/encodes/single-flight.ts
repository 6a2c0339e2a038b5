import type { ItemError } from '../messages.ts';

/** What a waiter learns when it looks. `lost`: nobody is at work on it any more; ask again. */
export type FlightState =
  | { readonly state: 'idle' }
  | { readonly state: 'pending' }
  | { readonly state: 'stored' }
  | { readonly state: 'failed'; readonly error: ItemError };

/**
 * One encode at a time per `mm_hash` in the whole fleet. The state is in Redis; each method is one
 * atomic script. A flight has a generation, raised when somebody joins after the last one settled:
 * a failure is told to those who joined before it, and the next request starts afresh.
 */
export interface SingleFlight {
  /** Adds a waiter. `leader` is true for the one whose join began the generation. */
  join(
    mmHash: string,
    waiter: string,
  ): Promise<{ generation: number; leader: boolean; state: FlightState }>;
  /**
   * Removes a waiter. `remaining` 0 means that nobody wants the item any more; `abandoned`, that nobody
   * has begun it either, so that its work may still be queued.
   */
  leave(mmHash: string, waiter: string): Promise<{ remaining: number; abandoned: boolean }>;
  /** Encoder: takes the item up. `deaths` is how often it was taken up and never settled. */
  begin(mmHash: string, encoder: string): Promise<{ deaths: number; waiters: readonly string[] }>;
  /** Encoder: ends the generation; returns who waited for it. */
  settle(
    mmHash: string,
    outcome: { state: 'stored' } | { state: 'failed'; error: ItemError },
  ): Promise<{ waiters: readonly string[] }>;
  /** What became of the generation that the waiter joined. */
  look(mmHash: string, generation: number): Promise<FlightState>;
  waiters(mmHash: string): Promise<readonly string[]>;
}
