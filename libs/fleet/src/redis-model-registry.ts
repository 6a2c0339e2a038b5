import { keyName } from '@epd/connector';
import type { Redis } from 'ioredis';
import { Compile } from 'typebox/compile';
import {
  ModelCard,
  type Announced,
  type ModelRegistry,
  type ModelRevision,
  type WorkerRole,
} from './model-registry.ts';
import {
  withRegistryScripts,
  type RegistryScripts,
  type RenewArguments,
} from './registry-scripts.ts';

/**
 * A worker that has not renewed its lease for this long counts as dead; four renewals per lease.
 */
const LEASE_MS = 12_000;
const RENEW_MS = 3_000;
/** A model without workers stays listed for a weekend on which an autoscaler keeps it at zero. */
const KEPT_MS = 3 * 24 * 3_600_000;

/** The role of a worker whose revision does not serve. */
const STANDBY = 'standby';
const ROLES = ['encoder', 'prefill-decode', STANDBY] as const satisfies (WorkerRole | 'standby')[];

const cardSchema = Compile(ModelCard);

/**
 * `ModelRegistry` on Redis. The cards of the revisions that names point to are one hash; the leases are one
 * sorted set per model and role, scored by expiry in Redis's clock: a worker with a wrong clock
 * would otherwise remove all the others.
 */
export class RedisModelRegistry implements ModelRegistry {
  readonly #redis: RegistryScripts;
  readonly #prefix: string;
  readonly #keptMs: number;

  constructor(redis: Redis, prefix: string, options: { readonly keptMs?: number } = {}) {
    this.#redis = withRegistryScripts(redis);
    this.#prefix = prefix;
    this.#keptMs = options.keptMs ?? KEPT_MS;
  }

  async announce(
    role: WorkerRole,
    worker: string,
    card: ModelCard,
    onServing: (serving: boolean) => void = () => undefined,
  ): Promise<Announced> {
    let serving: boolean | null = null;
    const renew = async (announced: boolean): Promise<void> => {
      const now = await this.#renew(role, worker, card, announced);
      if (now !== serving) onServing(now);
      serving = now;
    };
    await renew(true);
    let renewing: Promise<void> | null = null;
    const timer = setInterval(() => {
      // During an outage of Redis one renewal waits for it, not one per interval.
      renewing ??= renew(false)
        .catch(() => undefined) // the next renewal tries again
        .finally(() => (renewing = null));
    }, RENEW_MS);
    const key = this.#leases(card.id, role);
    return {
      isListed: async () => (await this.#redis.zscore(key, worker)) !== null,
      stop: async () => {
        clearInterval(timer);
        await renewing; // it would register the worker again
        await this.#redis.zrem(key, worker);
        await this.#redis.zrem(this.#holders(card.id), `${card.revision ?? ''} ${worker}`);
      },
    };
  }

  async models(): Promise<ModelCard[]> {
    const keys = [this.#cards, this.#seen, this.#pinned];
    return readCards(await this.#redis.modelCards(3, ...keys, this.#keptMs, ...ROLES));
  }

  async model(id: string): Promise<ModelCard | null> {
    return (await this.models()).find((card) => card.id === id) ?? null;
  }

  async workers(model: string): Promise<{ encoder: number; prefillDecode: number }> {
    const keys = [
      this.#leases(model, 'encoder'),
      this.#leases(model, 'prefill-decode'),
      this.#cards,
      this.#holders(model),
    ];
    const [encoder, prefillDecode] = await this.#redis.leaseCount(4, ...keys, model);
    return { encoder, prefillDecode };
  }

  async unservedMs(model: string): Promise<number | null> {
    const ms = await this.#redis.modelSince(1, this.#seen, `prefill-decode ${model}`);
    return ms < 0 ? null : ms;
  }

  async revisions(model: string): Promise<ModelRevision[]> {
    const [cards, holders, serving, pinned] = await Promise.all([
      this.#redis.hvals(this.#revisions(model)),
      this.#redis.modelHolders(1, this.#holders(model)),
      this.model(model),
      this.#redis.hget(this.#pinned, model),
    ]);
    const all = readCards(cards).flatMap((card): ModelRevision[] => {
      const { revision } = card;
      if (revision === undefined) return [];
      const workers = holders.filter((holder) => holder.startsWith(`${revision} `)).length;
      const isServing = serving?.revision === revision;
      return [{ revision, card, workers, serving: isServing, pinned: pinned === revision }];
    });
    return all.toSorted((a, b) => Number(b.serving) - Number(a.serving));
  }

  async serve(model: string, revision: string | null): Promise<boolean> {
    const keys = [this.#cards, this.#revisions(model), this.#pinned];
    return (await this.#redis.modelServe(3, ...keys, model, revision ?? '')) === 1;
  }

  async #renew(
    role: WorkerRole,
    worker: string,
    card: ModelCard,
    announced: boolean,
  ): Promise<boolean> {
    const serving = await this.#redis.leaseRenew(
      6,
      this.#leases(card.id, role),
      this.#cards,
      this.#seen,
      this.#revisions(card.id),
      this.#holders(card.id),
      this.#pinned,
      JSON.stringify({
        worker,
        role,
        standby: STANDBY,
        model: card.id,
        card: JSON.stringify(card),
        ...(card.revision !== undefined && { revision: card.revision }),
        announced,
        ms: LEASE_MS,
        keptMs: this.#keptMs,
      } satisfies RenewArguments),
    );
    return serving === 1;
  }

  get #cards(): string {
    return `${this.#prefix}:models`;
  }

  /** When a worker of a role of a model last renewed: members `<role> <model>`; `standby` is a role here. */
  get #seen(): string {
    return `${this.#prefix}:models-seen`;
  }

  /** The revision that an operator pinned a model's name to. */
  get #pinned(): string {
    return `${this.#prefix}:models-pinned`;
  }

  /** The card of each revision. */
  #revisions(model: string): string {
    return `${this.#prefix}:revisions:${model}`;
  }

  /** The workers of each revision: members `<revision> <worker>`, scored like leases. */
  #holders(model: string): string {
    return `${this.#prefix}:revision-holders:${model}`;
  }

  #leases(model: string, role: WorkerRole): string {
    return `${this.#prefix}:workers:${keyName(model)}:${role}`;
  }
}

const readCards = (cards: readonly string[]): ModelCard[] =>
  cards.map((json) => JSON.parse(json) as unknown).filter((card) => cardSchema.Check(card));
