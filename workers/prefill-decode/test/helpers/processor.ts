import { AnswerValidator } from '../../src/constraint/answer-validator.ts';
import { randomUUID } from 'node:crypto';
import { generateQueueName, MESSAGE_VERSION } from '@epd/connector';
import { RedisJobStore, type Job, type JobRequest, type JobStore, type Sampling } from '@epd/jobs';
import { createLogger } from '@epd/service';
import { eventually, testRedis } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import { Job as QueueJob, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Engine } from '../../src/engine/index.ts';
import { GenerateProcessor, type ProcessorOptions } from '../../src/job/generate-processor.ts';
import { readModel } from '../../src/read-model.ts';
import { Prompts } from '../../src/prompt/prompts.ts';
import { MODEL_FOLDER } from './golden.ts';
import { sampling } from './engine.ts';

/** A queue and a store of the test's own, for processors to share. */
export interface TestJobs {
  readonly redis: Redis;
  readonly prefix: string;
  readonly jobs: JobStore;
  readonly queue: Queue;
  /** `tenant`: whose job it is. */
  submit(parameters?: Partial<Sampling>, tenant?: string): Promise<string>;
  ended(id: string): Promise<Job>;
}

export function testJobs(t: ExecutionContext): TestJobs {
  const { redis, prefix } = testRedis(t);
  const jobs = new RedisJobStore({ redis, prefix });
  const queue = new Queue(generateQueueName('tiny-vlm'), { connection: redis, prefix });
  t.teardown(async () => {
    await queue.close();
    await jobs.close();
  });
  const submit = async (parameters: Partial<Sampling> = {}, tenant = 'test'): Promise<string> => {
    const id = `job_${randomUUID()}`;
    await jobs.create({ id, tenant, request: textRequest(parameters) });
    return id;
  };
  const ended = (id: string): Promise<Job> =>
    eventually(async () => endedOrNull(await jobs.get(id)), { withinMs: 30_000 });
  return { redis, prefix, jobs, queue, submit, ended };
}

const endedOrNull = (job: Job | null): Job | null => (job?.ending ? job : null);

/** Threads start with the first prompt and end with the process. */
const prompts = new Prompts(MODEL_FOLDER, { timeoutMs: 60_000 });
const model = await readModel({ folder: MODEL_FOLDER }, {}, async () => '');

export function processorFor(
  { jobs, redis }: TestJobs,
  engine: Engine,
  worker: string,
  told: Partial<
    Pick<
      ProcessorOptions,
      'onOver' | 'onTakeover' | 'prompts' | 'format' | 'revision' | 'sharePrefixes'
    >
  > = {},
): GenerateProcessor {
  return new GenerateProcessor({
    engine,
    jobs,
    validator: new AnswerValidator(),
    redis,
    worker,
    sharePrefixes: false,
    prompts,
    format: model.format,
    fingerprint: model.card.fingerprint,
    revision: model.card.revision ?? '',
    log: createLogger({ service: 'pd-test', level: 'silent' }),
    onOver: async () => {},
    onTakeover: () => {},
    ...told,
  });
}

/** Takes jobs off the queue as a PD process does, until the test ends. */
export function work(
  t: ExecutionContext,
  { redis, prefix, queue }: TestJobs,
  processor: GenerateProcessor,
): void {
  const worker = new Worker<unknown>(queue.name, (job, token) => processor.process(job, token), {
    connection: redis,
    prefix,
    concurrency: 8,
  });
  worker.on('error', () => undefined);
  t.teardown(async () => {
    processor.handBackAll();
    await worker.close();
  });
}

/** The job as BullMQ hands it over, for a call of the processor without a worker. */
export async function queued({ queue }: TestJobs, id: string): Promise<QueueJob> {
  const job = await QueueJob.fromId(queue, id);
  if (job === undefined) throw new Error(`No job ${id} on the queue`);
  return job;
}

const textRequest = (parameters: Partial<Sampling>): JobRequest => ({
  v: MESSAGE_VERSION,
  model: model.card.id,
  fingerprint: model.card.fingerprint,
  messages: [{ role: 'user' as const, content: 'count to 5' }],
  images: [],
  sampling: sampling(parameters),
  returnTokenIds: true,
  priority: 0,
  startByMs: null,
  endByMs: null,
});
