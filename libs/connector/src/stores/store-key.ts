import { StoreKeyError } from '../errors.ts';

/** S3's own limit on a key; a folder's paths stay below theirs too. */
const MAX_KEY_BYTES = 1024;
/** A file name's limit on common file systems. */
const MAX_SEGMENT_BYTES = 255;
const SEGMENT = /^[A-Za-z0-9._-]+$/;

/** Throws `StoreKeyError` for anything but a relative path of plain segments. */
export function assertStoreKey(key: string): void {
  if (!isStoreKey(key)) throw new StoreKeyError(key);
}

export const isStoreKey = (key: string): boolean =>
  key.length <= MAX_KEY_BYTES && key.split('/').every((segment) => isSegment(segment));

/** A prefix is a key cut off anywhere, also in the middle of a segment, or nothing. */
export function assertStorePrefix(prefix: string): void {
  const segments = prefix.split('/');
  const last = segments.pop()!;
  const fits =
    segments.every((segment) => isSegment(segment)) && (last === '' || SEGMENT.test(last));
  if (!fits || prefix.length > MAX_KEY_BYTES) throw new StoreKeyError(prefix);
}

const isSegment = (segment: string): boolean =>
  SEGMENT.test(segment) &&
  segment !== '.' &&
  segment !== '..' &&
  segment.length <= MAX_SEGMENT_BYTES;
