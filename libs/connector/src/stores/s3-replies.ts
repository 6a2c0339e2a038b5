import { Readable } from 'node:stream';
import type { _Object, GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ListedObject, ObjectStat } from './object-store.ts';
import { nameOf, statusOf } from './s3-errors.ts';

/** A missing bucket is not a missing object: the store does not exist. */
export const isAbsence = (error: unknown): boolean =>
  statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';

/**
 * Throws for a response that is not from an S3 server: a proxy in front of it may answer 200 with
 * its own page, which would look like a damaged object. Every S3 server sends an ETag and a time
 * for an object.
 */
export function assertObject(reply: GetObjectCommandOutput | HeadObjectCommandOutput): void {
  if (reply.ETag !== undefined || reply.LastModified !== undefined) return;
  if ('Body' in reply && reply.Body instanceof Readable) reply.Body.destroy();
  throw new Error('The response has neither ETag nor Last-Modified: it is not from an S3 server');
}

export const statOf = (reply: HeadObjectCommandOutput): ObjectStat => ({
  bytes: reply.ContentEncoding === undefined ? (reply.ContentLength ?? null) : null,
  etag: unquote(reply.ETag),
  modifiedAtMs: reply.LastModified?.getTime() ?? 0,
});

export const listedObject = (key: string, object: _Object): ListedObject => ({
  key,
  bytes: object.Size ?? 0,
  etag: unquote(object.ETag),
  modifiedAtMs: object.LastModified?.getTime() ?? 0,
});

export const unquote = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '');
