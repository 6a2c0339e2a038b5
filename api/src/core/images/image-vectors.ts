import { pooledVector } from '@epd/connector';
import type { ModelCard } from '@epd/fleet';
import { ApiError } from '../../http/errors.ts';
import type { ImageResolver } from '../accept/image-resolver.ts';
import { priceImage } from '../accept/price-images.ts';
import type { Tenant } from '../auth/tenant.ts';
import type { Gatekeeper } from '../limits/gatekeeper.ts';
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
  readonly encoded: EncodedImages;
  readonly gatekeeper: Pick<Gatekeeper, 'takeTokens'>;
}

/** The pooled vector of a picture that a request brings. */
export class ImageVectors {
  readonly #parts: ImageVectorsParts;

  constructor(parts: ImageVectorsParts) {
    this.#parts = parts;
  }

  async of(
    { url, fileId, param }: PictureSource,
    { card, tenant, signal }: VectorContext,
  ): Promise<ImageVector> {
    const { resolver, encoded, gatekeeper } = this.#parts;
    const source = { url: url ?? '', uuid: null, sha256: null, fileId: fileId ?? null, param };
    const input = await resolver.take(source, tenant.id, signal);
    const image = priceImage(input, card, tenant.embeddingScope);
    await gatekeeper.takeTokens(tenant, image);
    const vector = pooledVector(await encoded.load(image, card, { param, signal }));
    if (vector) return { vector, tokens: image.tokens };
    throw new ApiError('invalid_image', `${param}: the picture's rows have no direction`, {
      param,
    });
  }
}
