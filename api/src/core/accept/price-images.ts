import { isFrame, mmHash, modalityOf, type InputRef } from '@epd/connector';
import type { ModelCard } from '@epd/fleet';
import {
  imageLayout,
  ImageShapeError,
  type ImageCost,
  type ImageGeometry,
} from '@epd/model/geometry';
import { ApiError } from '../../http/errors.ts';

/** A distinct picture of a request: its key and its cost. */
export interface PricedImage {
  readonly mmHash: string;
  readonly input: InputRef;
  /** Rows of its embedding. */
  readonly tokens: number;
  /** Tokens that it takes in the prompt. */
  readonly expansion: number;
}

interface Pricing {
  /** Keeps tenants' embeddings apart; empty shares them. */
  readonly scope: string;
  /** Where in the request the picture stands, for messages. */
  readonly param: string;
}

/** Throws `image_shape` for a picture that the model does not take. */
export function priceImage(
  input: InputRef,
  card: ModelCard,
  { scope, param }: Pricing,
): PricedImage {
  const { tokens, expansion } = layoutOf(input, card, param);
  const key = mmHash({
    tenant: scope,
    modality: modalityOf(input),
    fingerprint: card.fingerprint,
    processing: card.processing,
    contentSha256: input.sha256,
  });
  return { mmHash: key, input, tokens, expansion };
}

function layoutOf(input: InputRef, card: ModelCard, param: string): ImageCost {
  try {
    const geometry = card.geometry as unknown as ImageGeometry;
    return imageLayout(geometry, input.width, input.height, isFrame(input));
  } catch (cause) {
    if (!(cause instanceof ImageShapeError)) throw cause;
    throw new ApiError('image_shape', `${param}: ${cause.message}`, { param, cause });
  }
}

/** Refuses on submission what cannot fit whatever the text; the worker counts the text's tokens. */
export function checkContext(expansions: readonly number[], { contextLength }: ModelCard): void {
  const tokens = expansions.reduce((sum, cost) => sum + cost, 0);
  if (tokens < contextLength) return;
  throw new ApiError(
    'context_length_exceeded',
    `messages: the pictures alone take ${tokens} tokens; the model's context holds ${contextLength}`,
    { param: 'messages' },
  );
}
