import type { CompletionEvent, InputRef } from '@epd/connector';
import { imageId, type Notice } from '@epd/image-index';

/** A tenant's image, as one message describes it. */
export interface Sighting {
  readonly id: string;
  readonly tenant: string;
  readonly model: string;
  readonly fingerprint: string;
  readonly mmHash: string;
  readonly input: InputRef;
  /** When it was seen, by Redis's clock. */
  readonly atMs: number;
  /** Null: an encoder announced it, not a caller; it brings nothing back that its tenant deleted. */
  readonly jobId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Empty for an event of a failure, or of an image that is not to be indexed. */
export function sightingOfEvent(event: CompletionEvent, atMs: number): Sighting[] {
  if (event.outcome !== 'stored' || event.item?.tenant === undefined) return [];
  const { mmHash } = event;
  const { tenant, model, fingerprint, input } = event.item;
  const id = imageId(tenant, mmHash);
  return [{ id, tenant, model, fingerprint, mmHash, input, atMs, jobId: null, metadata: {} }];
}

export function sightingsOfNotice(notice: Notice, atMs: number): Sighting[] {
  if (notice.kind !== 'seen') return [];
  const { tenant, model, fingerprint, jobId, metadata } = notice;
  return notice.images.map(({ mmHash, input }) => ({
    id: imageId(tenant, mmHash),
    tenant,
    model,
    fingerprint,
    mmHash,
    input,
    atMs,
    jobId,
    metadata,
  }));
}
