import { pooledVector } from '@epd/connector';
import type { ModelCard } from '@epd/fleet';
import { ApiError } from '../../http/errors.ts';
import type { MemoryHold } from '../../http/memory-budget.ts';
import type { ImageResolver } from '../accept/image-resolver.ts';
import { priceImage, type PricedImage } from '../accept/price-images.ts';
import type { Tenant } from '../auth/tenant.ts';
import type { Gatekeeper } from '../limits/gatekeeper.ts';
import { priorityOf } from '../limits/priority.ts';
import type { EncodedImages } from './encoded-images.ts';

/** A picture in a request: a data URI or https URL, or an uploaded file's id. */
export interface PictureSource {
  readonly url?: string | undefined;
  readonly fileId?: string | undefined;
  /** Where in the request it stands. */
  readonly param: string;
}

export interface VectorContext {
  readonly card: ModelCard;
  readonly tenant: Tenant;
  /** What the request holds of the process's memory. */
  readonly memory: MemoryHold;
  readonly signal: AbortSignal;
}

export interface ImageVector {
  /** L2-normalised. */
  readonly vector: Float32Array;
  /** Visual tokens that the picture costs. */
  readonly tokens: number;
}

interface ImageVectorsParts {
  readonly resolver: Pick<ImageResolver, 'take'>;
  readonly encoded: Pick<EncodedImages, 'load'>;
  readonly gatekeeper: Pick<Gatekeeper, 'check' | 'costOf' | 'takeTokens' | 'giveBackTokens'>;
}

/** Of a picture of which nothing is known yet. */
const LEAST_TOKENS = 1;

/**
 * The pooled vector of a picture that a request brings: within the same bounds as a job, though none stands for it.
 * What it costs is given back where it comes to nothing.
 */
export class ImageVectors {
  readonly #parts: ImageVectorsParts;

  constructor(parts: ImageVectorsParts) {
    this.#parts = parts;
  }

  async of({ url, fileId, param }: PictureSource, context: VectorContext): Promise<ImageVector> {
    const { card, tenant, memory, signal } = context;
    const { resolver, gatekeeper } = this.#parts;
    // What would be refused whatever the picture is, costs no fetch.
    await gatekeeper.check(tenant, gatekeeper.costOf(tenant, LEAST_TOKENS));
    const named = { url: url ?? '', uuid: null, sha256: null, fileId: fileId ?? null };
    const source = { ...named, isFrame: false, param };
    const { input, kept } = await resolver.take(source, { tenant: tenant.id, memory, signal });
    await kept;
    const image = priceImage(input, card, { scope: tenant.embeddingScope, param });
    const cost = gatekeeper.costOf(tenant, image.tokens);
    await gatekeeper.check(tenant, cost);
    await gatekeeper.takeTokens(tenant, cost);
    try {
      return { vector: await this.#vector(image, param, context), tokens: image.tokens };
    } catch (error) {
      await gatekeeper.giveBackTokens(tenant, cost).catch(() => undefined); // within a minute it is there again
      throw error;
    }
  }

  async #vector(
    image: PricedImage,
    param: string,
    { card, tenant, signal }: VectorContext,
  ): Promise<Float32Array> {
    const priority = priorityOf(undefined, tenant);
    const embedding = await this.#parts.encoded.load(image, card, { param, signal, priority });
    const vector = pooledVector(embedding);
    if (vector) return vector;
    throw new ApiError('invalid_image', `${param}: the picture's rows have no direction`, {
      param,
    });
  }
}
