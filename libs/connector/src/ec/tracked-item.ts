import type { EmbeddingSpec } from '../embedding.ts';
import type { EncodeJob, ItemError } from '../messages.ts';

/** The interest of one request in one item. */
export interface Interest {
  readonly requestId: string;
  /**
   * The generation of the flight joined on its behalf; null: none yet, as far as this process
   * knows.
   */
  generation: number | null;
}

/**
 * One item that requests of this process need.
 *
 *   unknown ──look or event──▶ available ──load──▶ in the encoder cache (still available)
 *      ▲                           │
 *      └───────load failed─────────┘
 *
 * Availability belongs to the item; failure belongs to each interest, because a request that joined
 * after a failed encode waits for the next one.
 */
export interface TrackedItem {
  readonly spec: EmbeddingSpec;
  readonly job: EncodeJob;
  readonly interests: Map<string, Interest>;
  available: boolean;
  isLoading: boolean;
  isLooking: boolean;
  /** A look has ended: whether the item's encode is still queued may be doubted from now on. */
  wasLooked: boolean;
  /** An event arrived during a check: the check may have been too early. */
  mustLookAgain: boolean;
  /** Consecutive failed loads. */
  failedLoads: number;
}

export const trackedItem = (spec: EmbeddingSpec, job: EncodeJob): TrackedItem => ({
  spec,
  job,
  interests: new Map(),
  available: false,
  isLoading: false,
  isLooking: false,
  wasLooked: false,
  mustLookAgain: false,
  failedLoads: 0,
});

/** One interest per generation: one check covers all that share it. */
export function groupByGeneration(item: TrackedItem): Map<number, Interest[]> {
  const groups = new Map<number, Interest[]>();
  for (const interest of item.interests.values()) {
    if (interest.generation === null) continue;
    groups.set(interest.generation, [...(groups.get(interest.generation) ?? []), interest]);
  }
  return groups;
}

export const unusableError = (failedLoads: number): ItemError => ({
  code: 'embedding_unusable',
  message: `The image's embedding was stored but not usable, ${failedLoads} times in a row`,
  retryable: true,
});
