import { S3Client } from '@aws-sdk/client-s3';

export interface S3ClientConfig {
  /** @default AWS's own for the region */
  readonly endpoint?: string;
  /** @default us-east-1 */
  readonly region?: string;
  /** @default the SDK's credential chain: environment, profile, instance role */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Bucket in the path, not in the host name. @default true when an endpoint is given */
  readonly forcePathStyle?: boolean;
  /**
   * Whether the server verifies a digest of what it received. That costs a pass over the bytes, up
   * to a sixth of a large put, and does not cover what it sends back later; readers of embeddings
   * verify those anyway. @default false
   */
  readonly signPayload?: boolean;
  /** Connection timeout in milliseconds. @default 2000 */
  readonly connectionTimeoutMs?: number;
  /** Request timeout in milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** Attempts of one request, with the SDK's back-off in between. @default 3 */
  readonly maxAttempts?: number;
}

/** The SDK's client, without the checksums that some S3-compatible servers do not support. */
export function createS3Client(config: S3ClientConfig): S3Client {
  const { accessKeyId, secretAccessKey } = config;
  const client = new S3Client({
    region: config.region ?? 'us-east-1',
    ...(config.endpoint ? { endpoint: config.endpoint } : {}),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    forcePathStyle: config.forcePathStyle ?? config.endpoint !== undefined,
    maxAttempts: config.maxAttempts ?? 3,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: config.connectionTimeoutMs ?? 2000,
      requestTimeout: config.requestTimeoutMs ?? 30_000,
      throwOnRequestTimeout: true,
    },
  });
  if (!config.signPayload) leavePayloadsUnsigned(client);
  return client;
}

/** The signer uses a digest that is already in the header as the payload's digest. */
function leavePayloadsUnsigned(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { method: string; headers: Record<string, string> };
      if (request.method === 'PUT') request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'leavePayloadsUnsigned' },
  );
}
