import { Readable } from 'node:stream';
import type { _Object, GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ListedObject, ObjectStat } from './object-store.ts';
import { nameOf, statusOf } from './s3-errors.ts';

/** A missing bucket is no missing object: it is a store that is not there. */
export const isAbsence = (error: unknown): boolean =>
  statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';

/**
 * Throws for a reply that is not of an S3 server: a proxy before it may answer 200 with a page of its own, which
 * would pass for a damaged object. Every server gives an object an ETag and a time.
 */
export function assertObject(reply: GetObjectCommandOutput | HeadObjectCommandOutput): void {
  if (reply.ETag !== undefined || reply.LastModified !== undefined) return;
  if ('Body' in reply && reply.Body instanceof Readable) reply.Body.destroy();
  throw new Error('The reply has neither ETag nor Last-Modified: it is not of an S3 server');
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
