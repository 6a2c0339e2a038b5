import type { Redis } from 'ioredis';
import {
  beginScript,
  handBackScript,
  joinScript,
  leaveScript,
  lookScript,
  settleScript,
  waitersScript,
} from './flight-scripts.ts';
import { flightKeys } from './flight-keys.ts';
import type { ItemError } from '../messages.ts';
import type { RedisScript } from '../redis-script.ts';
import type { Begun, FlightState, SingleFlight } from './single-flight.ts';

const MINUTE_MS = 60_000;

export interface RedisSingleFlightOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** Expiry of a flight that nobody joins, checks or claims. @default 15 minutes */
  readonly flightTtlMs?: number;
  /** Expiry of a waiter that neither joins nor checks again. @default 10 minutes */
  readonly waiterTtlMs?: number;
  /** How long an outcome is kept for late checks. @default 10 minutes */
  readonly settledTtlMs?: number;
}

/**
 * `SingleFlight` in Redis: one script per method; every key expires, so a crash leaves nothing
 * behind.
 */
export class RedisSingleFlight implements SingleFlight {
  readonly #redis: Redis;
  readonly #prefix: string;
  /** Of a flight that nobody asks for, and of a waiter that does not ask again. */
  readonly ttls: readonly [flightMs: number, waiterMs: number];
  readonly #settledTtlMs: number;

  constructor(options: RedisSingleFlightOptions) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.ttls = [options.flightTtlMs ?? 15 * MINUTE_MS, options.waiterTtlMs ?? 10 * MINUTE_MS];
    this.#settledTtlMs = options.settledTtlMs ?? 10 * MINUTE_MS;
  }

  async join(
    mmHash: string,
    waiter: string,
  ): Promise<{ generation: number; leader: boolean; state: FlightState }> {
    const args = [waiter, ...this.ttls];
    const [generation, leader] = (await this.#run(joinScript, mmHash, args)) as [string, number];
    return { generation: Number(generation), leader: leader === 1, state: { state: 'pending' } };
  }

  async leave(mmHash: string, waiter: string): Promise<{ remaining: number; abandoned: boolean }> {
    const [remaining, abandoned] = (await this.#run(leaveScript, mmHash, [waiter])) as number[];
    return { remaining: remaining ?? 0, abandoned: abandoned === 1 };
  }

  async begin(mmHash: string, encoder: string, unlessKey?: string): Promise<Begun> {
    const keys = flightKeys(this.#prefix, mmHash);
    if (unlessKey !== undefined) keys.push(unlessKey);
    const reply = await beginScript(this.#redis, keys, [encoder, this.ttls[0]]);
    const [deaths, waiters, refusal = null] = reply as [number, string[], string?];
    return { deaths, waiters, refusal };
  }

  /** Encoder: releases the item unencoded, while alive; that is not counted as a crash. */
  async handBack(mmHash: string, encoder: string): Promise<void> {
    await this.#run(handBackScript, mmHash, [encoder, this.ttls[0]]);
  }

  async settle(
    mmHash: string,
    outcome: { state: 'stored' } | { state: 'failed'; error: ItemError },
  ): Promise<{ waiters: readonly string[] }> {
    const error = outcome.state === 'failed' ? JSON.stringify(outcome.error) : '';
    const args = [outcome.state, error, this.#settledTtlMs];
    return { waiters: (await this.#run(settleScript, mmHash, args)) as string[] };
  }

  /** With `waiter`, also renews that waiter. */
  async look(mmHash: string, generation: number, waiter = ''): Promise<FlightState> {
    const args = [generation, waiter, ...this.ttls];
    return flightState((await this.#run(lookScript, mmHash, args)) as [string, string]);
  }

  async waiters(mmHash: string): Promise<readonly string[]> {
    return (await this.#run(waitersScript, mmHash, [])) as string[];
  }

  #run(script: RedisScript, mmHash: string, args: readonly (string | number)[]): Promise<unknown> {
    return script(this.#redis, flightKeys(this.#prefix, mmHash), args);
  }
}

/** What a look at a flight returns. */
export function flightState([state, error]: readonly [string, string]): FlightState {
  if (state === 'failed') return { state, error: JSON.parse(error) as ItemError };
  return state === 'pending' || state === 'stored' ? { state } : { state: 'idle' };
}
