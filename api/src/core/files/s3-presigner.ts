import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { StoreOptions } from '@epd/service';

/** Lets somebody else put one object of one size, for a while. */
export interface UploadSigner {
  /** S3 refuses signatures by a clock that is far from its own: `now` is the fleet's. */
  sign(key: string, bytes: number, expiresInS: number, now: Date): Promise<string>;
  close(): void;
}

/** Null where the store is no S3: then uploads go to the API itself. */
export function createUploadSigner(
  options: StoreOptions,
  publicEndpoint: string | undefined,
): UploadSigner | null {
  if (options.kind !== 's3') return null;
  const { bucket, region, forcePathStyle, accessKeyId, secretAccessKey } = options;
  const endpoint = publicEndpoint ?? options.endpoint;
  const client = new S3Client({
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  return {
    // The length is signed with the rest: a larger body is another request.
    sign: (Key, bytes, expiresIn, signingDate) =>
      getSignedUrl(client, new PutObjectCommand({ Bucket: bucket, Key, ContentLength: bytes }), {
        expiresIn,
        signingDate,
      }),
    close: () => client.destroy(),
  };
}
