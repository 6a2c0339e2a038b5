import type { ImageHit, IndexedImage } from '@epd/image-index';
import { unixSeconds } from '../../http/unix-seconds.ts';

export const imageView = (image: IndexedImage) => ({
  id: image.id,
  object: 'image' as const,
  ...factsOf(image),
});

export const hitsView = (hits: readonly ImageHit[]) => ({
  object: 'list' as const,
  data: hits.map((hit) => ({ image_id: hit.id, score: hit.score, ...factsOf(hit) })),
});

const factsOf = (image: IndexedImage) => ({
  model: image.model,
  width: image.width,
  height: image.height,
  bytes: image.bytes,
  media_type: image.mediaType,
  created_at: unixSeconds(image.createdAtMs),
  metadata: image.metadata,
  jobs: [...image.jobs],
  url: `/v1/images/${image.id}/content`,
  thumbnail_url: `/v1/images/${image.id}/thumbnail`,
});
