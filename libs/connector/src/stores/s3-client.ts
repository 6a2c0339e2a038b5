import { S3Client } from '@aws-sdk/client-s3';

export interface S3ClientConfig {
  /** @default AWS's own for the region */
  readonly endpoint?: string;
  /** @default us-east-1 */
  readonly region?: string;
  /** @default what the SDK finds: environment, profile, instance role */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Bucket in the path, not in the host name. @default true when an endpoint is given */
  readonly forcePathStyle?: boolean;
  /**
   * Whether the server checks what it received against a digest. That costs a pass over the bytes, as
   * much as a sixth of a large put, and says nothing of what it sends back later; readers of
   * embeddings verify those anyway. @default false
   */
  readonly signPayload?: boolean;
  /** Until a connection stands. @default 2000 */
  readonly connectionTimeoutMs?: number;
  /** Until a reply is complete. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** Tries of one request, with the SDK's own back-off between. @default 3 */
  readonly maxAttempts?: number;
}

/** The SDK's client, without the checksums that S3-compatible servers do not know. */
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

/** The signer takes a digest that stands in the header already for the payload's. */
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
