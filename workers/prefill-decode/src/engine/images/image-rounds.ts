import type { ECConnectorMetadata, ECConnectorOutput } from '@epd/connector';
import type { HeldRequest } from '../requests/held-request.ts';
import { lastPosition } from '../sequences/image-span.ts';
import type { ECConnector, EmbeddingLoader } from './embedding-loader.ts';
import type { Outbox } from '../requests/outbox.ts';
import type { EngineImage } from '../requests/request.ts';
import type { RequestBook } from '../requests/request-book.ts';
import type { Sequence } from '../sequences/sequence.ts';
import type { Slots } from '../kv/slots.ts';

/**
 * Interval at which the loader requests missing images again: a lost message delays a prompt but
 * never blocks it for ever.
 */
export const ASK_AGAIN_MS = 1000;

/**
 * Once per step, for all held requests: which images arrived, which are needed, which sequences
 * wait for one.
 */
export class ImageRounds {
  readonly #intake: EmbeddingLoader;
  readonly #book: RequestBook;
  readonly #slots: Slots;
  readonly #outbox: Outbox;
  #askAgainAt = 0;
  #blocked = 0;

  constructor(
    connector: ECConnector,
    parts: { intake: EmbeddingLoader; book: RequestBook; slots: Slots; outbox: Outbox },
  ) {
    this.#intake = parts.intake;
    this.#book = parts.book;
    this.#slots = parts.slots;
    this.#outbox = parts.outbox;
    connector.scheduler.onProgress(() => this.askAgain());
  }

  /** Sequences that were waiting for an image at the last check. */
  get blocked(): number {
    return this.#blocked;
  }

  askAgain(): void {
    this.#askAgainAt = 0;
  }

  /** Before a step: reserves memory for the next images. Returns what the step loads. */
  prepare(): ECConnectorMetadata {
    this.#request(this.#withImages());
    return this.#intake.nextLoads();
  }

  /** After a step: processes arrivals. */
  take(output: ECConnectorOutput): void {
    const { loaded, failed, unavailable } = this.#intake.collect(output);
    if (failed) this.askAgain();
    for (const [id, { mmHash, error }] of unavailable) {
      const held = this.#book.get(id);
      if (!held) continue;
      const item = held.ec.features.findIndex((feature) => feature.mmHash === mmHash);
      this.#book.fail(held, { ...error, stage: 'encode', item });
    }
    if (loaded.length === 0) return;
    const withImages = this.#withImages();
    for (const { mmHash, tier, loadMs } of loaded) {
      const image: EngineImage = { mmHash, source: 'loaded', tier, loadMs };
      for (const held of withImages)
        if (wants(held, mmHash)) this.#outbox.add(...held.loaded(image));
    }
  }

  /** After scheduling: notes which sequences wait for an image. */
  noteBlocked(): void {
    this.#blocked = 0;
    for (const held of this.#book.all) {
      if (held.ec.features.length === 0) continue;
      const blocked = held.unfinished.filter((sequence) => this.#isBlocked(sequence));
      this.#blocked += blocked.length;
      if (held.clock.block(blocked.length > 0)) this.#tellBlocked(held, blocked[0]);
    }
  }

  /** A sequence got a slot: its cached prefix brings the images that it covers. */
  noteCovered(held: HeldRequest, sequence: Sequence): void {
    for (const image of sequence.images) {
      if (lastPosition(image) >= sequence.reused) continue;
      this.#outbox.add(...held.loaded({ mmHash: image.mmHash, source: 'kv_cache' }));
    }
  }

  #withImages(): HeldRequest[] {
    return this.#book.all.filter(({ ec }) => ec.features.length > 0);
  }

  #request(requests: readonly HeldRequest[]): void {
    const now = performance.now();
    const renew = now >= this.#askAgainAt;
    if (renew) this.#askAgainAt = now + ASK_AGAIN_MS;
    for (const held of requests) this.#requestFor(held, renew);
  }

  #requestFor(held: HeldRequest, renew: boolean): void {
    for (const sequence of held.unfinished) {
      const computed = this.#computed(sequence);
      const ahead = sequence.imagesAhead(computed).map(({ mmHash }) => mmHash);
      if (ahead.length === 0) continue;
      if (renew || held.unasked) this.#intake.ask(held.ec, computed);
      held.unasked = false;
      this.#intake.reserve(sequence, held.ec, computed);
      const misfit = this.#intake.misfit(sequence, computed);
      if (misfit) return this.#refuse(held, misfit);
      this.#noteHere(held, ahead);
    }
  }

  #refuse(held: HeldRequest, { index, message }: { index: number; message: string }): void {
    const error = {
      code: 'embedding_misfit',
      message,
      stage: 'load',
      item: index,
      retryable: false,
    };
    this.#book.fail(held, error);
  }

  /** Images that another request had loaded already. */
  #noteHere(held: HeldRequest, hashes: readonly string[]): void {
    for (const mmHash of hashes) {
      if (held.images.has(mmHash) || !this.#intake.isHere(mmHash)) continue;
      this.#outbox.add(...held.loaded({ mmHash, source: 'loaded', tier: 'process', loadMs: 0 }));
    }
  }

  #tellBlocked(held: HeldRequest, sequence: Sequence | undefined): void {
    if (!sequence) return;
    const computed = this.#reached(sequence);
    const image = sequence.imagesAhead(computed).find(({ mmHash }) => !this.#intake.isHere(mmHash));
    this.#outbox.add({
      type: 'stage',
      id: held.id,
      stage: 'waiting_for_embeddings',
      ...(image === undefined ? {} : { item: image.index }),
      detail: { computedTokens: computed },
    });
  }

  #isBlocked(sequence: Sequence): boolean {
    if (sequence.underWay > 0) return false;
    const computed = this.#computed(sequence);
    if (this.#intake.limit(sequence, computed) <= computed) return true;
    return sequence.slot === null && this.#intake.reach(sequence, computed) <= sequence.reached;
  }

  /** Tokens that are computed already: in the slot or, without one, in cached prefix blocks. */
  #computed(sequence: Sequence): number {
    return sequence.slot === null ? this.#slots.cachedPrefixTokens(sequence) : sequence.computed;
  }

  /** How far it ever got, even if a part must be recomputed. */
  #reached(sequence: Sequence): number {
    return Math.max(sequence.reached, this.#computed(sequence));
  }
}

function wants(held: HeldRequest, mmHash: string): boolean {
  return held.ec.features.some((feature) => feature.mmHash === mmHash);
}
