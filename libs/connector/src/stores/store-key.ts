import { StoreKeyError } from '../errors.ts';

/** S3's limit on a key; paths of a folder store stay below their limit too. */
const MAX_KEY_BYTES = 1024;
/** File name limit of common file systems. */
const MAX_SEGMENT_BYTES = 255;
const SEGMENT = /^[A-Za-z0-9._-]+$/;

/** Throws `StoreKeyError` for anything but a relative path of plain segments. */
export function assertStoreKey(key: string): void {
  if (!isStoreKey(key)) throw new StoreKeyError(key);
}

export const isStoreKey = (key: string): boolean =>
  key.length <= MAX_KEY_BYTES && key.split('/').every((segment) => isSegment(segment));

/** A prefix is any leading part of a key, even within a segment, or empty. */
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
