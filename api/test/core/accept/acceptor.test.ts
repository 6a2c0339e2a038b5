import { eventually } from '@epd/service/testing';
import test from 'ava';
import type { Submission } from '../../../src/core/accept/submission.ts';
import { dataUri, png } from '../../helpers/pictures.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { answer } from '../../helpers/worker.ts';

const ID = `job_${'a'.repeat(32)}`;

/** A question about a picture whose job's id is given, as for a batch's line. */
async function submission({ services }: TestApi, seed = 0): Promise<Submission> {
  const picture = { type: 'image_url' as const, image_url: { url: dataUri(png(8, 6, seed)) } };
  return {
    requestId: 'batch',
    tenant: await services.tenants.get('local'),
    memory: services.memory.open('local'),
    model: undefined,
    messages: [{ role: 'user', content: [picture] }],
    sampling: { max_tokens: 10 },
    returnTokenIds: false,
    priority: 0,
    startWithinS: null,
    finishWithinS: null,
    notes: { kind: 'job' },
    receivedAtMs: Date.now(),
    id: ID,
  };
}

/** The images that are held under the id, and those whose encode it waits for, by their number. */
async function held({ redis, prefix, admission }: TestApi) {
  const holds = async (pattern: string): Promise<number> => {
    const keys = await redis.keys(`${prefix}:${pattern}`);
    const scores = await Promise.all(keys.map((key) => redis.zscore(key, ID)));
    return scores.filter((score) => score !== null).length;
  };
  return {
    leases: await holds('ec:{usage}:lease:*'),
    flights: await holds('flight:*:waiters'),
    jobs: (await admission.work()).count,
  };
}

test('what is submitted twice at once under one id is one job, which keeps what it holds', async (t) => {
  const api = await testApi(t);
  const { acceptor } = api.services;
  const twice = [await submission(api), await submission(api)];
  const accepted = await Promise.all(twice.map((each) => acceptor.accept(each)));
  t.is(accepted.filter(({ repeated }) => repeated).length, 1);
  t.deepEqual(
    accepted.map(({ job }) => job.id),
    [ID, ID],
  );
  t.deepEqual(await held(api), { leases: 1, flights: 1, jobs: 1 });
});

test('what a job waits for is asked for, also when a repetition of it was the first to want it', async (t) => {
  const api = await testApi(t);
  const { jobs, services } = api;
  const create = jobs.create.bind(jobs);
  const second = Promise.withResolvers<void>();
  let calls = 0;
  jobs.create = async (...args) => {
    calls += 1;
    if (calls === 1) await second.promise;
    const result = await create(...args);
    if (calls === 2) second.resolve();
    return result;
  };
  const first = services.acceptor.accept(await submission(api));
  await eventually(() => calls === 1);
  t.false((await services.acceptor.accept(await submission(api))).repeated);
  t.true((await first).repeated);
  t.is(await api.redis.zcard(`${api.prefix}:encode-tiny-vlm:prioritized`), 1);
});

test('a repetition that names another picture releases that picture', async (t) => {
  const api = await testApi(t);
  const { acceptor } = api.services;
  await acceptor.accept(await submission(api));
  const { repeated } = await acceptor.accept(await submission(api, 1));
  t.true(repeated);
  t.deepEqual(await held(api), { leases: 1, flights: 1, jobs: 1 });
});

test('what is repeated after its end holds nothing', async (t) => {
  const api = await testApi(t);
  const { acceptor, ender } = api.services;
  const { job } = await acceptor.accept(await submission(api));
  await answer(api.jobs, ID, { pieces: ['x'] });
  await ender.release(job);
  const { job: ended, repeated } = await acceptor.accept(await submission(api));
  t.true(repeated);
  t.is(ended.status, 'completed');
  t.deepEqual(await held(api), { leases: 0, flights: 0, jobs: 0 });
});

test('a job that was written although its writer saw a failure keeps what it holds', async (t) => {
  const api = await testApi(t);
  const { jobs, services } = api;
  const create = jobs.create.bind(jobs);
  jobs.create = async (...args) => {
    await create(...args);
    throw new Error('Connection is closed.');
  };
  await t.throwsAsync(services.acceptor.accept(await submission(api)));
  t.is((await jobs.get(ID))?.status, 'queued');
  t.deepEqual(await held(api), { leases: 1, flights: 1, jobs: 1 });
});

test('a job that was not written holds nothing', async (t) => {
  const api = await testApi(t);
  api.jobs.create = () => Promise.reject(new Error('No.'));
  await t.throwsAsync(api.services.acceptor.accept(await submission(api)));
  t.deepEqual(await held(api), { leases: 0, flights: 0, jobs: 0 });
});
