import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { Lazy } from '@epd/connector';
import type { StoreOptions } from '@epd/service';

/** Lets somebody else put one object of one size, for a while. */
export interface UploadSigner {
  /** S3 refuses signatures by a clock that is far from its own: `now` is the fleet's. */
  sign(key: string, bytes: number, expiresInS: number, now: Date): Promise<string>;
  close(): void;
}

type S3Options = Extract<StoreOptions, { readonly kind: 's3' }>;

/** Null where the store is no S3: then uploads go to the API itself. */
export function createUploadSigner(
  options: StoreOptions,
  publicEndpoint: string | undefined,
): UploadSigner | null {
  if (options.kind !== 's3') return null;
  const lazy = new Lazy(() => loadPresigner(options, publicEndpoint ?? options.endpoint));
  return {
    // The length is signed with the rest: a larger body is another request.
    sign: async (Key, bytes, expiresIn, signingDate) => {
      const { sign } = await lazy.get();
      const put = { Bucket: options.bucket, Key, ContentLength: bytes };
      return sign(put, { expiresIn, signingDate });
    },
    close: () => void lazy.made().then((presigner) => presigner?.close()),
  };
}

/** Loaded with the first upload: not every API has any. */
async function loadPresigner(options: S3Options, endpoint: string | undefined) {
  const [{ PutObjectCommand, S3Client }, { getSignedUrl }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/s3-request-presigner'),
  ]);
  const { region, forcePathStyle, accessKeyId, secretAccessKey } = options;
  const client = new S3Client({
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  return {
    sign: (put: PutObjectCommandInput, how: { expiresIn: number; signingDate: Date }) =>
      getSignedUrl(client, new PutObjectCommand(put), how),
    close: () => client.destroy(),
  };
}
