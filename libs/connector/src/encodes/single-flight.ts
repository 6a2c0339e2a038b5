import type { ItemError } from '../messages.ts';

/** The result of a waiter's check. `lost`: no encode is in progress any more; request it again. */
export type FlightState =
  | { readonly state: 'idle' }
  | { readonly state: 'pending' }
  | { readonly state: 'stored' }
  | { readonly state: 'failed'; readonly error: ItemError };

export interface Begun {
  /** How often the item was claimed and never settled. */
  readonly deaths: number;
  readonly waiters: readonly string[];
  /** What is at the key that forbids the claim; null: the item is claimed. */
  readonly refusal: string | null;
}

/**
 * One encode at a time per `mm_hash` in the whole fleet. The state is in Redis; each method is one
 * atomic script. A flight has a generation, incremented when a waiter joins after the last one
 * settled: those who joined before a failure receive it, and the next request starts over.
 */
export interface SingleFlight {
  /** Adds a waiter. `leader` is true for the one whose join started the generation. */
  join(
    mmHash: string,
    waiter: string,
  ): Promise<{ generation: number; leader: boolean; state: FlightState }>;
  /**
   * Removes a waiter. `remaining` 0: no waiter needs the item any more; `abandoned`: no encoder has
   * started it either, so its work may still be queued.
   */
  leave(mmHash: string, waiter: string): Promise<{ remaining: number; abandoned: boolean }>;
  /** Encoder: claims the item, unless there is something at `unlessKey`. */
  begin(mmHash: string, encoder: string, unlessKey?: string): Promise<Begun>;
  /** Encoder: settles the generation; returns its waiters. */
  settle(
    mmHash: string,
    outcome: { state: 'stored' } | { state: 'failed'; error: ItemError },
  ): Promise<{ waiters: readonly string[] }>;
  /** The state of the generation that the waiter joined. */
  look(mmHash: string, generation: number): Promise<FlightState>;
  waiters(mmHash: string): Promise<readonly string[]>;
}
