import type { ModelCard, ModelRegistry, ModelRevision } from '@epd/fleet';
import { LRUCache } from 'lru-cache';
import { ApiError } from '../../http/errors.ts';

/** A card changes when its model is replaced; a second of the old one is harmless. */
const FRESH_MS = 1_000;
/** Leases last seconds; a list of jobs reads this once per job. */
const WORKERS_FRESH_MS = 500;
/** More names than a fleet has models: callers may use unknown names. */
const MAX_REMEMBERED = 1_000;
/** Cache key of the only model; no model has an empty name. */
const ONLY = '';

export interface LiveWorkers {
  readonly encoder: number;
  readonly prefillDecode: number;
}

/** A cache of the registry for the routes: saves a round trip to Redis per request. */
export class ModelDirectory {
  readonly #registry: ModelRegistry;
  readonly #workers = new LRUCache<string, Promise<LiveWorkers>>({
    max: MAX_REMEMBERED,
    ttl: WORKERS_FRESH_MS,
  });
  readonly #seen = new LRUCache<string, ModelCard>({ max: MAX_REMEMBERED, ttl: FRESH_MS });
  #expected = false;

  constructor(registry: ModelRegistry) {
    this.#registry = registry;
  }

  async models(): Promise<ModelCard[]> {
    const cards = await this.#registry.models();
    if (cards.length > 0) this.#expected = false;
    return cards;
  }

  revisions(id: string): Promise<ModelRevision[]> {
    return this.#registry.revisions(id);
  }

  /** Pins the name to the revision. False: it is not registered. */
  async serve(id: string, revision: string | null): Promise<boolean> {
    const moved = await this.#registry.serve(id, revision);
    this.#seen.delete(id);
    this.#seen.delete(ONLY);
    return moved;
  }

  /** Redis lost the cards: no job can be accepted until a worker has registered again. */
  expectAgain(): void {
    this.#expected = true;
  }

  /** Whether there were models, and are none now. Reads the registry. */
  async isWithout(): Promise<boolean> {
    return this.#expected && (await this.models()).length === 0;
  }

  /** Live workers, at most half a second old. */
  workers(model: string): Promise<LiveWorkers> {
    const known = this.#workers.get(model);
    if (known !== undefined) return known;
    const workers = this.#registry.workers(model);
    this.#workers.set(model, workers);
    workers.catch(() => this.#workers.delete(model));
    return workers;
  }

  /**
   * The named model, or the only one. Throws `model_not_found` and `model_required`, and `unavailable` while no
   * model is registered at all: workers are starting, or register again after Redis lost its data.
   */
  async resolve(id: string | undefined): Promise<ModelCard> {
    if (id === undefined) return this.#only();
    const card = await this.find(id);
    if (card !== null) return card;
    const cards = await this.models();
    if (cards.length === 0) throw noModels();
    throw unknownModel(id, cards);
  }

  async find(id: string): Promise<ModelCard | null> {
    const seen = this.#seen.get(id);
    if (seen !== undefined) return seen;
    const card = await this.#registry.model(id);
    if (card !== null) this.#seen.set(id, card);
    return card;
  }

  /** Models with workers: a model without workers does not make a choice necessary. */
  async #served(cards: readonly ModelCard[]): Promise<ModelCard[]> {
    const workers = await Promise.all(cards.map(({ id }) => this.workers(id)));
    return cards.filter((_, index) => (workers[index]?.prefillDecode ?? 0) > 0);
  }

  async #only(): Promise<ModelCard> {
    const known = this.#seen.get(ONLY);
    if (known !== undefined) return known;
    const cards = await this.models();
    const [card, ...others] = cards.length > 1 ? await this.#served(cards) : cards;
    if (card !== undefined && others.length === 0) {
      this.#seen.set(ONLY, card);
      return card;
    }
    if (cards.length === 0) throw noModels();
    const ids = cards.map(({ id }) => id);
    throw new ApiError(
      'model_required',
      `model: expected one of ${JSON.stringify(ids)}, got nothing`,
      {
        param: 'model',
      },
    );
  }
}

/** Models that a message names: a caller who mistyped one looks for it there. */
const NAMED_MAX = 5;

export function unknownModel(id: string, cards: readonly ModelCard[]): ApiError {
  const ids = cards.map((card) => JSON.stringify(card.id));
  const rest = ids.length > NAMED_MAX ? ', … (GET /v1/models)' : '';
  const there = `${ids.slice(0, NAMED_MAX).join(', ') || 'no model'}${rest}`;
  return new ApiError(
    'model_not_found',
    `model: ${JSON.stringify(id)} is not registered; there is ${there}`,
    { param: 'model' },
  );
}

/** As often as workers renew their leases. */
const REGISTERED_WITHIN_S = 3;

const noModels = (): ApiError =>
  new ApiError('unavailable', 'No model is registered yet; try again', {
    retryAfterS: REGISTERED_WITHIN_S,
  });
