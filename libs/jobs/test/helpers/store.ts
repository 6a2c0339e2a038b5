import { randomUUID } from 'node:crypto';
import { testRedis } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import {
  GREEDY,
  RedisJobStore,
  type Ending,
  type JobRequest,
  type JobStoreOptions,
  type NewJob,
} from '../../src/index.ts';

export interface TestStore {
  readonly redis: Redis;
  readonly prefix: string;
  readonly jobs: RedisJobStore;
}

export function testStore(t: ExecutionContext, options: Partial<JobStoreOptions> = {}): TestStore {
  const { redis, prefix } = testRedis(t);
  const jobs = new RedisJobStore({ redis, prefix, ...options });
  t.teardown(() => jobs.close());
  return { redis, prefix, jobs };
}

export function newJob(overrides: Partial<JobRequest> = {}, rest: Partial<NewJob> = {}): NewJob {
  return {
    id: `job_${randomUUID()}`,
    tenant: 'default',
    request: { ...REQUEST, ...overrides },
    ...rest,
  };
}

export const completed = (text: string): Ending => ({
  status: 'completed',
  choices: [{ text, finishReason: 'stop', tokenIds: [1, 2] }],
  usage: null,
  timings: {},
  error: null,
});

const REQUEST: JobRequest = {
  v: 1,
  model: 'tiny-vlm',
  fingerprint: 'f',
  messages: [{ role: 'user', content: 'Hello' }],
  images: [],
  sampling: { ...GREEDY, maxTokens: 8, seed: 1 },
  returnTokenIds: false,
  priority: 0,
  startByMs: null,
  endByMs: null,
};
