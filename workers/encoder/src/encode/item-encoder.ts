import {
  type Begun,
  type Embedding,
  type EncodeJob,
  type EncodeTimings,
  type ItemError,
  type RedisSingleFlight,
  Semaphore,
} from '@epd/connector';
import { startSpan, type Logger, type Span } from '@epd/service';
import type { EmbeddingCache } from '../embedding-cache.ts';
import { EncoderError } from '../errors.ts';
import type { EncoderMetrics } from '../metrics.ts';
import type { Announcer, StoredFile } from './announcer.ts';
import { HandBack, orHandBack } from './hand-back.ts';
import type { EncodedImage, ImagePipeline } from './image-pipeline.ts';
import { persist } from './persist.ts';
import { traceStages } from './trace-stages.ts';
import { VisionThreadError } from '../vision/vision-runner.ts';
import { poisonError, type PoisonList } from './poison-list.ts';

export interface ItemEncoderParts {
  readonly encoder: string;
  readonly fingerprint: string;
  readonly deathsMax: number;
  /** Whether consumers have the item already. */
  readonly lookUp: (mmHash: string) => Promise<boolean>;
  readonly flight: Pick<RedisSingleFlight, 'begin' | 'handBack'>;
  readonly poison: PoisonList;
  readonly announcer: Announcer;
  readonly pipeline: ImagePipeline;
  readonly cache: EmbeddingCache;
  /** Saves `cache[mmHash]` where every process can read it. */
  readonly save: (mmHash: string) => Promise<StoredFile | null>;
  readonly metrics: EncoderMetrics;
  readonly log: Logger;
}

export interface ItemContext {
  /** How long the item waited in the queue, in milliseconds. */
  readonly queueMs: number;
  /** How often it was claimed from the queue, including this time. */
  readonly starts: number;
  /** Aborted when the encoder must return its items to the queue. */
  readonly signal: AbortSignal;
}

type TracedContext = ItemContext & { readonly span: Span };
interface WorkContext extends TracedContext {
  readonly alone: boolean;
  /** The waiters were told that encoding began. */
  readonly noted: Promise<void>;
}

const OTHER_MODEL_DELAY_MS = 2_000;
/**
 * How often an item of another version of the model is left for encoders that may have it: one
 * minute in total. Counted in attempts, because the requester's clock may differ.
 */
const OTHER_MODEL_STARTS_MAX = 30;

/**
 * Processes one image from queue to store: checks whether it is stored already, claims its single
 * flight, encodes, saves, announces. An image's own failure is announced too and resolves normally;
 * an outage of Redis or the store only delays it. Rejects with `HandBack`, and with
 * `VisionThreadError` when the model's thread, and so this process, is lost: the flight then counts
 * a crash.
 */
export class ItemEncoder {
  readonly #parts: ItemEncoderParts;
  readonly #suspects = new Semaphore(1);

  constructor(parts: ItemEncoderParts) {
    this.#parts = parts;
  }

  async encode(job: EncodeJob, context: ItemContext): Promise<void> {
    const attributes = { mm_hash: job.mmHash, tokens: job.tokens };
    const span = startSpan('encode image', { parent: job.traceparent, attributes });
    try {
      await this.#encode(job, { ...context, span });
      span.end();
    } catch (error) {
      span.end({ error });
      if (error instanceof HandBack) this.#parts.metrics.item('handed_back');
      if (error instanceof HandBack || error instanceof VisionThreadError) throw error;
      await this.fail(job.mmHash, this.#failure(job, error).toItemError(), context);
    }
  }

  /** Only the exit of an encoder counts as a crash: any other error is announced to the waiters. */
  #failure({ mmHash }: EncodeJob, error: unknown): EncoderError {
    if (error instanceof EncoderError) return error;
    this.#parts.log.error({ err: error, mmHash }, 'unexpected encode error');
    const message = 'Internal error in the encoder; see its log';
    return new EncoderError('encode_failed', message, { retryable: true, cause: error });
  }

  /** Announces to the waiters that the item failed. */
  async fail(
    mmHash: string,
    error: ItemError,
    context: Pick<ItemContext, 'signal'>,
  ): Promise<void> {
    const { announcer, metrics, log } = this.#parts;
    log.warn({ mmHash, code: error.code, reason: error.message }, 'image failed to encode');
    await this.#persist('Announcing a failure', () => announcer.failed(mmHash, error), context);
    metrics.item('failed');
    metrics.failure(error.code);
  }

  async #encode(job: EncodeJob, context: TracedContext): Promise<void> {
    this.#checkModel(job, context);
    if (await this.#isStored(job, context)) await this.#announceStored(job, context);
    else await this.#claimFlight(job, context);
  }

  /** During a rollout the fleet has encoders of both versions. */
  #checkModel(job: EncodeJob, { starts }: ItemContext): void {
    if (job.fingerprint === this.#parts.fingerprint) return;
    if (starts <= OTHER_MODEL_STARTS_MAX) {
      throw new HandBack('the item needs another version of the model', OTHER_MODEL_DELAY_MS);
    }
    const message = 'No encoder has the version of the model that the image was accepted for';
    throw new EncoderError('model_mismatch', message, { retryable: true });
  }

  #isStored(job: EncodeJob, context: ItemContext): Promise<boolean> {
    return this.#persist('Looking up', () => this.#parts.lookUp(job.mmHash), context);
  }

  async #announceStored(job: EncodeJob, context: ItemContext): Promise<void> {
    const { announcer, metrics } = this.#parts;
    await this.#persist('Announcing', () => announcer.storedBefore(job), context);
    metrics.item('stored_already');
  }

  async #claimFlight(job: EncodeJob, context: TracedContext): Promise<void> {
    const { flight, encoder } = this.#parts;
    const begun = await this.#begin(job, context);
    if (begun.refusal !== null) return this.fail(job.mmHash, poisonError(begun.refusal), context);
    if (begun.deaths === 0) return this.#work(job, begun, context);
    await this.#persist('Waiting', () => flight.handBack(job.mmHash, encoder), context);
    return this.#claimSuspect(job, context);
  }

  /**
   * Encoders crashed while they held the image, or one beside it. An encoder claims such images one
   * at a time, so that a crash counts against that one only: the culprit reaches the limit alone.
   */
  async #claimSuspect(job: EncodeJob, context: TracedContext): Promise<void> {
    const turn = this.#suspects.acquire();
    try {
      await orHandBack(turn, context.signal);
      if (await this.#isStored(job, context)) await this.#announceStored(job, context);
      else await this.#workSuspect(job, context);
    } finally {
      void turn.then((end) => end());
    }
  }

  async #workSuspect(job: EncodeJob, context: TracedContext): Promise<void> {
    const begun = await this.#begin(job, context);
    if (begun.refusal === null) return this.#work(job, begun, context);
    return this.fail(job.mmHash, poisonError(begun.refusal), context);
  }

  #begin(job: EncodeJob, context: ItemContext): Promise<Begun> {
    const { flight, encoder, poison } = this.#parts;
    const begin = () => flight.begin(job.mmHash, encoder, poison.key(job.mmHash));
    return this.#persist('Claiming', begin, context);
  }

  async #work(job: EncodeJob, { deaths, waiters }: Begun, context: TracedContext): Promise<void> {
    const { flight, encoder, announcer } = this.#parts;
    try {
      if (deaths > 0) await this.#checkDeaths(job, deaths, context);
      const note = () => announcer.encoding(job, waiters);
      const noted = this.#persist('Announcing', note, context);
      noted.catch(() => undefined); // awaited before the next announcement
      await this.#encodeAndSave(job, { ...context, alone: deaths > 0, noted });
    } catch (error) {
      if (error instanceof HandBack) await flight.handBack(job.mmHash, encoder);
      throw error;
    }
  }

  async #checkDeaths(job: EncodeJob, deaths: number, context: ItemContext): Promise<void> {
    const { deathsMax, poison, metrics } = this.#parts;
    metrics.redispatched();
    if (deaths < deathsMax) return;
    const message = `${deaths} encoders crashed while they held the image`;
    const error = new EncoderError('encode_poison', message);
    await this.#persist('Noting', () => poison.add(job.mmHash, error.toItemError()), context);
    throw error;
  }

  async #encodeAndSave(job: EncodeJob, context: WorkContext): Promise<void> {
    const { cache, pipeline, metrics } = this.#parts;
    const kept = cache.get(job.mmHash);
    const encoded = kept
      ? unencoded(kept)
      : await orHandBack(pipeline.encode(job, context), context.signal);
    const queueMs = context.queueMs + encoded.timings.queueMs;
    metrics.queued(queueMs);
    await this.#save(job, encoded.embedding, { ...encoded.timings, queueMs }, context);
    metrics.item(kept ? 'saved_again' : 'encoded');
  }

  async #save(
    job: EncodeJob,
    embedding: Embedding,
    timings: Omit<EncodeTimings, 'saveMs'>,
    context: WorkContext,
  ): Promise<void> {
    const { cache, save, announcer, log } = this.#parts;
    const startedAt = performance.now();
    const file = await cache.pinned(job.mmHash, embedding, () =>
      this.#persist('Saving an embedding', () => save(job.mmHash), context),
    );
    const saveMs = performance.now() - startedAt;
    context.span.set({ ...timings, saveMs });
    traceStages(context.span.traceparent, { ...timings, saveMs }, Date.now());
    await context.noted;
    const announce = () => announcer.stored(job, { embedding, file }, { ...timings, saveMs });
    await this.#persist('Announcing', announce, context);
    log.info({ mmHash: job.mmHash, tokens: job.tokens, ...timings, saveMs }, 'encoded');
  }

  #persist<R>(
    what: string,
    attempt: () => Promise<R>,
    { signal }: Pick<ItemContext, 'signal'>,
  ): Promise<R> {
    return persist(what, attempt, { signal, log: this.#parts.log });
  }
}

/** The store lost its object, but this encoder still caches the embedding. */
function unencoded(embedding: Embedding): EncodedImage {
  return { embedding, timings: { queueMs: 0, preprocessMs: 0, encodeMs: 0, batch: 0 } };
}
