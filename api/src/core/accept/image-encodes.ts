import { MESSAGE_VERSION, type EncodeJob, type EncodeRequester } from '@epd/connector';
import type { ModelCard, ResidentImages } from '@epd/fleet';
import type { JobImage } from '@epd/jobs';
import type { Tenant } from '../auth/tenant.ts';
import type { PricedImage } from './price-images.ts';
import { settleAll } from './settle-all.ts';

export interface ImageEncodesParts {
  readonly encodes: Pick<EncodeRequester, 'request' | 'confirm' | 'enqueue' | 'hurry' | 'release'>;
  readonly residents: Pick<ResidentImages, 'key'>;
}

/** The job that images are encoded for. */
export interface EncodeContext {
  /** Id of the waiting job. */
  readonly waiter: string;
  readonly card: ModelCard;
  readonly tenant: Pick<Tenant, 'id'>;
  readonly priority: number;
  readonly traceparent?: string | undefined;
}

/**
 * Requests encodes. Call `join` before the job's record is written, so that the record can say what
 * was found, and `begin` after it, so that an encoder's first note finds a record. If this process
 * dies in between, the PD worker that waits for the image requests it again; if it dies before
 * there is a record, nothing requests it, and the job's leases expire after a minute.
 */
export class ImageEncodes {
  readonly #parts: ImageEncodesParts;

  constructor(parts: ImageEncodesParts) {
    this.#parts = parts;
  }

  /** Settles before it throws: a join in progress could not be released. */
  async join(images: readonly PricedImage[], context: EncodeContext): Promise<JobImage[]> {
    return settleAll(images.map((image) => this.#join(image, context)));
  }

  async begin(images: readonly JobImage[], context: EncodeContext): Promise<void> {
    this.#confirm(images, context.waiter);
    await Promise.all(images.map((image) => this.#ask(encodeJob(image, context), image.found)));
  }

  async #ask(job: EncodeJob, found: JobImage['found']): Promise<void> {
    if (found === 'requested') await this.#parts.encodes.enqueue(job);
    if (found === 'joined') await this.#parts.encodes.hurry(job);
  }

  async release(images: readonly { readonly mmHash: string }[], waiter: string): Promise<void> {
    const released = images.map(({ mmHash }) => this.#parts.encodes.release(mmHash, waiter));
    await Promise.allSettled(released);
  }

  /**
   * Not awaited: without it the sweeper may delete an embedding before its use, and it is encoded
   * again.
   */
  #confirm(images: readonly JobImage[], waiter: string): void {
    for (const { mmHash, found } of images) {
      if (found === 'resident') continue; // not held
      this.#parts.encodes.confirm(mmHash, waiter).catch(() => undefined);
    }
  }

  async #join(image: PricedImage, context: EncodeContext): Promise<JobImage> {
    const { mmHash, input, tokens } = image;
    const job = encodeJob(image, context);
    const residents = this.#parts.residents.key(context.card.id);
    const request = await this.#parts.encodes.request(job, context.waiter, {
      hold: true,
      residents,
    });
    return { mmHash, input, tokens, ...request };
  }
}

function encodeJob(
  { mmHash, input, tokens }: Pick<JobImage, 'mmHash' | 'input' | 'tokens'>,
  { card, tenant, priority, traceparent }: EncodeContext,
): EncodeJob {
  return {
    v: MESSAGE_VERSION,
    mmHash,
    model: card.id,
    fingerprint: card.fingerprint,
    input,
    tokens,
    tenant: tenant.id,
    priority,
    requestedAtMs: Date.now(),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
