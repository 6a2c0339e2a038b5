import { Worker } from 'bullmq';
import type { ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import {
  CompletionPublisher,
  MESSAGE_VERSION,
  RedisSingleFlight,
  encodeQueueName,
  type EmbeddingStore,
  type EncodeJob,
  type ItemError,
} from '../../src/index.ts';
import { embeddingOf } from './embeddings.ts';
import { MODEL } from './encode-jobs.ts';

interface FakeEncoderOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly embeddings: EmbeddingStore;
  /** False: the event is lost. */
  readonly announce?: (job: EncodeJob) => boolean;
  readonly failure?: (job: EncodeJob) => ItemError | null;
}

/** An encoder without a model, on the real queue. Returns what it encoded, in order. */
export async function startFakeEncoder(t: ExecutionContext, options: FakeEncoderOptions) {
  const { redis, prefix, embeddings } = options;
  const flight = new RedisSingleFlight({ redis, prefix });
  const publisher = new CompletionPublisher({ redis, prefix });
  const encoded: string[] = [];
  const worker = new Worker<EncodeJob>(
    encodeQueueName(MODEL),
    async ({ data: job }) => {
      await flight.begin(job.mmHash, 'fake');
      const error = options.failure?.(job) ?? null;
      if (error) {
        await flight.settle(job.mmHash, { state: 'failed', error });
        if (options.announce?.(job) ?? true) {
          await publisher.publish({
            v: MESSAGE_VERSION,
            outcome: 'failed',
            mmHash: job.mmHash,
            encoder: 'fake',
            error,
          });
        }
        return;
      }
      if (!(await embeddings.has(job))) await encode(job);
      await flight.settle(job.mmHash, { state: 'stored' });
    },
    { connection: redis, prefix, concurrency: 4 },
  );
  t.teardown(() => worker.close());
  await worker.waitUntilReady();
  return encoded;

  async function encode(job: EncodeJob): Promise<void> {
    encoded.push(job.mmHash);
    const embedding = embeddingOf(job.mmHash);
    const { bytes, etag } = await embeddings.save(job.mmHash, job.fingerprint, embedding);
    if (!(options.announce?.(job) ?? true)) return;
    const { rows, width, dtype } = embedding;
    const timings = { queueMs: 0, preprocessMs: 0, encodeMs: 1, saveMs: 1, batch: 1 };
    const stored = { v: MESSAGE_VERSION, outcome: 'stored', encoder: 'fake', timings } as const;
    await publisher.publish({ ...stored, mmHash: job.mmHash, rows, width, dtype, bytes, etag });
  }
}
