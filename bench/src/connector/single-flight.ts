import {
  EmbeddingStore,
  EncodeRequester,
  EmbeddingUsage,
  MESSAGE_VERSION,
  MemoryStore,
  encodeJobId,
  inputKey,
  type EncodeJob,
} from '@epd/connector';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { summarize, type Summary } from '../percentiles.ts';
import { embeddingOf, freshSpec } from './embeddings.ts';

export interface FlightTimes {
  /** What a queue without single flight would take. */
  readonly alone: Summary;
  readonly requests: readonly { readonly name: string; readonly ms: Summary }[];
}

const PREFIX = 'bench-flight';
const ROWS = 64;

/** One request at a time, so that each time is what one caller waits. */
export async function singleFlight(redisUrl: string, count: number): Promise<FlightTimes> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const embeddings = new EmbeddingStore({ store: new MemoryStore() });
  const usage = new EmbeddingUsage({ redis, prefix: PREFIX });
  const requester = new EncodeRequester({ redis, prefix: PREFIX, embeddings, usage });
  const queue = new Queue('alone', { connection: redis, prefix: PREFIX });
  try {
    const jobs = Array.from({ length: count }, () => jobOf(freshSpec(ROWS).mmHash));
    const options = { removeOnComplete: true, removeOnFail: true };
    const alone = await timesOf(jobs, (job) =>
      queue.add('encode', job, { ...options, jobId: encodeJobId(job.mmHash) }),
    );
    const asked = await timesOf(jobs, (job) => requester.request(job, 'first'));
    const joined = await timesOf(jobs, (job) => requester.request(job, 'second'));
    for (const { mmHash, fingerprint } of jobs) {
      await embeddings.save(mmHash, fingerprint, embeddingOf(ROWS));
    }
    const stored = await timesOf(jobs, (job) => requester.request(job, 'third'));
    return {
      alone,
      requests: [
        { name: 'asked for: look, lease, join, add', ms: asked },
        { name: 'joined another’s', ms: joined },
        { name: 'stored already (in memory)', ms: stored },
      ],
    };
  } finally {
    await queue.close();
    await requester.close();
    redis.disconnect();
  }
}

async function timesOf(
  jobs: readonly EncodeJob[],
  work: (job: EncodeJob) => Promise<unknown>,
): Promise<Summary> {
  const samples: number[] = [];
  for (const job of jobs) {
    const beganMs = performance.now();
    await work(job);
    samples.push(performance.now() - beganMs);
  }
  return summarize(samples.slice(Math.floor(jobs.length / 10)));
}

const jobOf = (mmHash: string): EncodeJob => ({
  v: MESSAGE_VERSION,
  mmHash,
  model: 'bench',
  fingerprint: 'f'.repeat(64),
  input: {
    key: inputKey(mmHash),
    sha256: mmHash,
    mediaType: 'image/png',
    bytes: 1,
    width: 1,
    height: 1,
  },
  tokens: ROWS,
  requestedAtMs: 0,
});
