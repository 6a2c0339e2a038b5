import type { Redis } from 'ioredis';
import type { EmbeddingLabels, EmbeddingUsage } from '../lifetime/embedding-usage.ts';
import { usageKey } from '../lifetime/usage-keys.ts';
import type { RedisScript } from '../redis-script.ts';
import { flightKeys } from './flight-keys.ts';
import { flightState, type RedisSingleFlight } from './redis-single-flight.ts';
import type { FlightState } from './single-flight.ts';
import { askScript, releaseScript, renewScript } from './waiter-scripts.ts';

export interface EncodeWaitersOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly flight: RedisSingleFlight;
  readonly usage: EmbeddingUsage;
}

export interface Ask {
  readonly labels: EmbeddingLabels;
  /** @default the usage index's */
  readonly leaseMs?: number | undefined;
  /** Key of the items, by expiry time, for which nothing is asked. */
  readonly residents?: string | undefined;
}

/** `known`: the usage index has it, so nothing was joined; the store has to confirm it. */
export type Asked =
  | { readonly state: 'resident' }
  | { readonly state: 'known' }
  | { readonly state: 'joined'; readonly generation: number; readonly leader: boolean };

/**
 * A waiter's two entries for an item: in its flight, so that it learns of the outcome, and among its leases,
 * so that the sweeper leaves it. Each method changes both in one round trip.
 */
export class EncodeWaiters {
  readonly #options: EncodeWaitersOptions;

  constructor(options: EncodeWaitersOptions) {
    this.#options = options;
  }

  /** Leases the item, and joins its flight unless it is known to be stored. */
  async ask(mmHash: string, waiter: string, { labels, leaseMs, residents }: Ask): Promise<Asked> {
    const { flight, usage } = this.#options;
    const args = [...usage.leaseArguments(waiter, labels, leaseMs), ...flight.ttls, mmHash];
    const others = residents === undefined ? [] : [residents];
    const reply = await this.#run(askScript, mmHash, args, others);
    const [state, generation, leader] = reply as [Asked['state'], string?, number?];
    if (state !== 'joined') return { state };
    return { state, generation: Number(generation), leader: leader === 1 };
  }

  /** Renews both; the state of the generation that the waiter joined. */
  async renew(
    mmHash: string,
    waiter: string,
    generation: number,
    labels: EmbeddingLabels,
  ): Promise<FlightState> {
    const { flight, usage } = this.#options;
    const args = [...usage.leaseArguments(waiter, labels), ...flight.ttls, generation];
    return flightState((await this.#run(renewScript, mmHash, args)) as [string, string]);
  }

  /** Ends both. `abandoned`: nobody else needs the item, and no encoder has started it. */
  async release(mmHash: string, waiter: string): Promise<{ abandoned: boolean }> {
    const [, abandoned] = (await this.#run(releaseScript, mmHash, [waiter])) as number[];
    return { abandoned: abandoned === 1 };
  }

  #run(
    script: RedisScript,
    mmHash: string,
    args: readonly (string | number)[],
    others: readonly string[] = [],
  ): Promise<unknown> {
    const { redis, prefix } = this.#options;
    const keys = [
      ...flightKeys(prefix, mmHash),
      usageKey(prefix, 'bytes'),
      usageKey(prefix, 'label', mmHash),
      usageKey(prefix, 'lease', mmHash),
      ...others,
    ];
    return script(redis, keys, args);
  }
}
