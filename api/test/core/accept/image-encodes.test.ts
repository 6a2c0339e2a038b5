import { eventually } from '@epd/service/testing';
import test from 'ava';
import { png } from '../../helpers/pictures.ts';
import { post, question } from '../../helpers/requests.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';

const MINUTE_MS = 60_000;

const ask = ({ app }: TestApi) => post(app, '/v1/jobs', question('What is it?', png()));

/** For how long the one image is held, by those who hold it: the longest first. */
async function leases({ redis, prefix }: TestApi): Promise<number[]> {
  const [key = ''] = await redis.keys(`${prefix}:ec:{usage}:lease:*`);
  const flat = await redis.zrevrange(key, 0, -1, 'WITHSCORES');
  return flat.filter((_, index) => index % 2 === 1).map((untilMs) => Number(untilMs) - Date.now());
}

/** Records are written no more until the returned function is called. */
function holdUpRecords({ services: { jobs } }: TestApi): () => void {
  const gate = Promise.withResolvers<void>();
  const create = jobs.create.bind(jobs);
  jobs.create = async (...args) => {
    await gate.promise;
    return create(...args);
  };
  return gate.resolve;
}

test('an image is held for a minute, and for longer once its job has a record', async (t) => {
  const api = await testApi(t);
  const write = holdUpRecords(api);
  const answer = ask(api);
  const [untilThen = 0] = await eventually(async () => notEmpty(await leases(api)));
  t.true(untilThen <= MINUTE_MS, `${untilThen} ms`);
  write();
  t.is((await answer).statusCode, 202);
  t.true(await eventually(async () => ((await leases(api))[0] ?? 0) > 20 * MINUTE_MS));
});

test('so is one that another job has asked for', async (t) => {
  const api = await testApi(t);
  await ask(api);
  await eventually(async () => ((await leases(api))[0] ?? 0) > 20 * MINUTE_MS);
  const write = holdUpRecords(api);
  const answer = ask(api);
  const [first = 0, second = 0] = await eventually(async () => notEmpty(await leases(api), 2));
  t.true(first > 20 * MINUTE_MS && second <= MINUTE_MS, `${first} and ${second} ms`);
  write();
  await answer;
  t.true(await eventually(async () => ((await leases(api))[1] ?? 0) > 20 * MINUTE_MS));
});

const notEmpty = (found: number[], atLeast = 1): number[] | null =>
  found.length < atLeast ? null : found;
