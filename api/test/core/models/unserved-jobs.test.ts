import { generateQueueName } from '@epd/connector';
import { RedisModelRegistry, type WorkerRole } from '@epd/fleet';
import { waitingKey } from '@epd/jobs';
import test from 'ava';
import { Queue } from 'bullmq';
import { UnservedJobs } from '../../../src/core/models/unserved-jobs.ts';
import { jobOf, post, question } from '../../helpers/requests.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';

const WAIT_MS = 600_000;

async function submit({ app }: TestApi): Promise<string> {
  return jobOf(await post(app, '/v1/jobs', question('hi'))).id;
}

function unservedJobs({ redis, prefix, jobs }: TestApi, ended: string[]): UnservedJobs {
  return new UnservedJobs({
    redis,
    prefix,
    registry: new RedisModelRegistry(redis, prefix),
    jobs,
    waitMs: WAIT_MS,
    onEnded: async ({ id }) => void ended.push(id),
    onError: (error) => {
      throw error;
    },
  });
}

/** As though so much time had passed since the job was accepted. */
const age = ({ redis, prefix }: TestApi, id: string): Promise<unknown> =>
  redis.hincrby(`${prefix}:job:${id}`, 'createdAtMs', -WAIT_MS - 60_000);

const seen = async (api: TestApi, role: WorkerRole): Promise<() => Promise<unknown>> => {
  const registry = new RedisModelRegistry(api.redis, api.prefix);
  const { stop } = await registry.announce(role, 'w', TEST_CARD);
  await stop();
  const key = `${api.prefix}:models-seen`;
  return () => api.redis.zincrby(key, -WAIT_MS - 60_000, `${role} ${TEST_CARD.id}`);
};

test('a job ends when it has waited long for a model whose workers are long gone, and only then', async (t) => {
  const api = await testApi(t);
  const makeOld = await seen(api, 'prefill-decode');
  const [old, fresh] = [await submit(api), await submit(api)];
  const ended: string[] = [];
  const unserved = unservedJobs(api, ended);
  t.teardown(() => unserved.stop());
  await age(api, old);
  await unserved.look();
  t.deepEqual(ended, [], 'a worker was there just now');
  await makeOld();
  await unserved.look();
  t.deepEqual(ended, [old]);
  const { ending } = (await api.jobs.get(old))!;
  t.like(ending, { status: 'failed', error: { code: 'model_unavailable', retryable: true } });
  t.is((await api.jobs.get(fresh))?.status, 'queued');
  t.deepEqual(await api.redis.zrange(waitingKey(api.prefix, TEST_CARD.id), '0', '-1'), [fresh]);
});

test('a job that has ended otherwise leaves the queue of a model without workers', async (t) => {
  const api = await testApi(t);
  const id = await submit(api);
  await age(api, id);
  await api.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
  const ended: string[] = [];
  const unserved = unservedJobs(api, ended);
  t.teardown(() => unserved.stop());
  await unserved.look();
  t.deepEqual(ended, []);
  const queue = new Queue(generateQueueName(TEST_CARD.id), {
    connection: api.redis,
    prefix: api.prefix,
  });
  t.teardown(() => queue.close());
  t.is(await queue.getJobCountByTypes('prioritized'), 0);
});

test('a job ends that waits for a revision without workers, though workers of another stand by', async (t) => {
  const api = await testApi(t);
  const registry = new RedisModelRegistry(api.redis, api.prefix);
  const worker = (revision: string) =>
    registry.announce('prefill-decode', revision, { ...TEST_CARD, revision });
  const gone = await worker('pinned');
  await registry.serve(TEST_CARD.id, 'pinned');
  await gone.stop();
  await api.redis.zincrby(
    `${api.prefix}:models-seen`,
    -WAIT_MS - 60_000,
    `prefill-decode ${TEST_CARD.id}`,
  );
  const standby = await worker('other');
  t.teardown(() => standby.stop());
  const id = await submit(api);
  await age(api, id);
  const ended: string[] = [];
  const unserved = unservedJobs(api, ended);
  t.teardown(() => unserved.stop());
  await unserved.look();
  t.deepEqual(ended, [id]);
  t.regex((await api.jobs.get(id))?.ending?.error?.message ?? '', /in revision pinned/);
});
