import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MESSAGE_VERSION,
  type Embedding,
  type EmbeddingStore,
  type EncodeJob,
  type EncodeRequester,
  type ItemError,
} from '@epd/connector';
import type { ModelCard } from '@epd/fleet';
import { ApiError } from '../../http/errors.ts';
import type { PricedImage } from '../accept/price-images.ts';

/** An encode takes milliseconds to seconds; a caller that waits longer is told to retry. */
const WITHIN_MS = 30_000;
const FIRST_LOOK_MS = 25;
const LONGEST_PAUSE_MS = 500;

interface LoadOptions {
  /** Where in the request the picture stands, for messages. */
  readonly param: string;
  readonly signal: AbortSignal;
  /** Of the encode, among jobs': lower runs first. */
  readonly priority: number;
}

export interface EncodedImagesParts {
  readonly encodes: Pick<EncodeRequester, 'request' | 'recheck' | 'release'>;
  readonly embeddings: Pick<EmbeddingStore, 'load'>;
}

/**
 * Embeddings of pictures for requests that no job stands for: as stored, or encoded through the same single
 * flight. The encode names no tenant, so that an image used only as a query is not indexed.
 */
export class EncodedImages {
  readonly #parts: EncodedImagesParts;

  constructor(parts: EncodedImagesParts) {
    this.#parts = parts;
  }

  /** Throws `invalid_image` for one that encoders refuse, and `unavailable` when none answers in time. */
  async load(
    image: PricedImage,
    card: ModelCard,
    { param, signal, priority }: LoadOptions,
  ): Promise<Embedding> {
    const { mmHash } = image;
    const waiter = `search_${randomUUID()}`;
    const within = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]);
    try {
      await this.#untilStored(encodeJob(image, card, priority), waiter, { param, signal: within });
      const { fingerprint, hiddenSize: width } = card;
      const loaded = await this.#parts.embeddings.load({ mmHash, fingerprint, width });
      if (loaded) return loaded.embedding;
      throw unavailable(param);
    } finally {
      await this.#parts.encodes.release(mmHash, waiter, card.id).catch(() => undefined);
    }
  }

  async #untilStored(
    job: EncodeJob,
    waiter: string,
    { param, signal }: Pick<LoadOptions, 'param' | 'signal'>,
  ): Promise<void> {
    const { encodes } = this.#parts;
    const { found, generation } = await encodes.request(job, waiter);
    if (found === 'stored') return;
    let current = generation;
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw unavailable(param);
      });
      const look = await encodes.recheck(job, waiter, current);
      if (look.state === 'stored') return;
      if (look.state === 'failed') throw failure(look.error, param);
      current = look.generation;
    }
  }
}

const encodeJob = (
  { mmHash, input, tokens }: PricedImage,
  card: ModelCard,
  priority: number,
): EncodeJob => ({
  v: MESSAGE_VERSION,
  mmHash,
  model: card.id,
  fingerprint: card.fingerprint,
  input,
  tokens,
  priority,
  requestedAtMs: Date.now(),
});

function failure({ message, retryable }: ItemError, param: string): ApiError {
  if (retryable) return unavailable(param);
  return new ApiError('invalid_image', `${param}: ${message}`, { param });
}

const unavailable = (param: string): ApiError =>
  new ApiError('unavailable', `${param}: no encoder encoded the picture in time; try again`, {
    param,
    retryAfterS: 1,
  });
