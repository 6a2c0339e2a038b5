import test from 'ava';
import { png } from '../../helpers/pictures.ts';
import { errorOf, jobOf, post, question } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';
import { answer } from '../../helpers/worker.ts';

const costing = (tokens: number) => ({
  messages: [{ role: 'user', content: '' }],
  max_tokens: tokens,
});

test('past the bound on waiting cost a job is refused with 429 and a time to come back', async (t) => {
  const { app } = await testApi(t, { maxWaitingCost: 100 });
  t.is((await post(app, '/v1/jobs', costing(60))).statusCode, 202);
  const refused = await post(app, '/v1/jobs', costing(50));
  t.is(refused.statusCode, 429);
  t.like(errorOf(refused), { code: 'too_much_waiting', type: 'rate_limit_error' });
  t.true(Number(refused.headers['retry-after']) >= 1);
  t.is((await post(app, '/v1/jobs', costing(40))).statusCode, 202);
});

test('of refused jobs nothing is written, nor left on the queue, be they the first or one of many', async (t) => {
  const { app, redis, prefix, admission } = await testApi(t, { maxWaitingCost: 100 });
  await post(app, '/v1/jobs', costing(60));
  const many = Array.from({ length: 8 }, () => post(app, '/v1/jobs', costing(50)));
  for (const { statusCode } of await Promise.all(many)) t.is(statusCode, 429);
  t.is((await post(app, '/v1/jobs', costing(50))).statusCode, 429);
  const records = await redis.keys(`${prefix}:job:*`);
  t.is(records.filter((key) => !key.endsWith(':events')).length, 1);
  t.is((await redis.keys(`${prefix}:generate-*:prioritized`)).length, 1);
  t.is(await redis.zcard(`${prefix}:generate-tiny-vlm:prioritized`), 1);
  t.like(await admission.work(), { total: 60, count: 1 });
});

test('what has ended, however it did, makes room again', async (t) => {
  const { app, jobs, admission } = await testApi(t, { maxWaitingCost: 100 });
  const first = jobOf(await post(app, '/v1/jobs', costing(60)));
  const second = jobOf(await post(app, '/v1/jobs', costing(40)));
  await answer(jobs, first.id, { pieces: ['x'] });
  await app.inject({ method: 'POST', url: `/v1/jobs/${second.id}/cancel` });
  t.like(await admission.work(), { total: 0, count: 0, endedCost: 100, endedCount: 2 });
});

test('a job larger than the whole bound passes when nothing waits', async (t) => {
  const { app } = await testApi(t, { maxWaitingCost: 10 });
  t.is((await post(app, '/v1/jobs', costing(1_000))).statusCode, 202);
  t.is((await post(app, '/v1/jobs', costing(1))).statusCode, 429);
});

test('a refused, a repeated and a failed submission hold nothing', async (t) => {
  const { app, admission, waitingEncodes } = await testApi(t, { maxWaitingCost: 100 });
  const headers = { 'idempotency-key': 'a' };
  await post(app, '/v1/jobs', costing(50), headers);
  await post(app, '/v1/jobs', costing(50), headers);
  await post(app, '/v1/jobs', costing(49), headers);
  t.like(await admission.work(), { total: 50, count: 1 });
  const refused = await post(app, '/v1/jobs', { ...question('?', png()), max_tokens: 60 });
  t.is(refused.statusCode, 429);
  t.deepEqual(await waitingEncodes(), []);
  t.is((await admission.work()).total, 50);
});

test('a tenant has a bound of its own', async (t) => {
  const { app } = await testApi(t, {
    apiKeys: ['a:key-of-tenant-aaaa', 'b:key-of-tenant-bbbb'],
    tenantWaitingCost: 50,
  });
  const submit = async (tenant: string) =>
    (
      await post(app, '/v1/jobs', costing(40), {
        authorization: `Bearer key-of-tenant-${tenant.repeat(4)}`,
      })
    ).statusCode;
  t.deepEqual([await submit('a'), await submit('a'), await submit('b')], [202, 429, 202]);
});

test('requests a minute are counted for every tenant, and every answer says what is left', async (t) => {
  const { app } = await testApi(t, { requestsPerMinute: 2 });
  const first = await post(app, '/v1/jobs', costing(1));
  t.is(first.headers['ratelimit-policy'], '"requests";q=2;w=60');
  t.is(first.headers['ratelimit'], '"requests";r=1;t=30');
  t.is(first.headers['x-ratelimit-remaining-requests'], '1');
  await post(app, '/v1/jobs', costing(1));
  const third = await post(app, '/v1/jobs', costing(1));
  t.is(third.statusCode, 429);
  t.is(errorOf(third).code, 'rate_limited');
  const retryAfterS = Number(third.headers['retry-after']);
  t.true(retryAfterS >= 1 && retryAfterS <= 30);
});

test('tokens a minute are counted by what jobs may cost', async (t) => {
  const { app } = await testApi(t, { tokensPerMinute: 100 });
  t.is((await post(app, '/v1/jobs', costing(90))).statusCode, 202);
  const refused = await post(app, '/v1/jobs', costing(60));
  t.is(errorOf(refused).code, 'rate_limited');
  t.true(Number(refused.headers['retry-after']) > 20);
});

test('a refused, a repeated and a failed submission spend nothing of the tokens a minute', async (t) => {
  const api = await testApi(t, { tokensPerMinute: 100, maxWaitingCost: 70 });
  const { app, jobs } = api;
  const spend = (tokens: number, headers = {}) => post(app, '/v1/jobs', costing(tokens), headers);
  const { id } = jobOf(await spend(60));
  for (let i = 0; i < 3; i++) t.is(errorOf(await spend(30)).code, 'too_much_waiting');
  const create = jobs.create.bind(jobs);
  jobs.create = () => Promise.reject(new Error('No.'));
  t.is((await spend(5)).statusCode, 500);
  jobs.create = create;
  const key = { 'idempotency-key': 'a' };
  const both = await Promise.all([spend(10, key), spend(10, key)]);
  t.is(jobOf(both[0]).id, jobOf(both[1]).id);
  for (const each of [id, jobOf(both[0]).id]) await answer(jobs, each, { pieces: ['x'] });
  t.is(errorOf(await spend(40)).code, 'rate_limited'); // 70 of 100 are spent
  jobs.create = () => Promise.reject(new Error('No.'));
  t.is((await spend(25)).statusCode, 500); // and 30 are there
});

test('a waiting job says how many go before it', async (t) => {
  const { app } = await testApi(t);
  const first = jobOf(await post(app, '/v1/jobs', costing(1)));
  const second = jobOf(await post(app, '/v1/jobs', costing(1)));
  const urgent = jobOf(await post(app, '/v1/jobs', { ...costing(1), priority: -5 }));
  t.is(first.queue?.position, 0);
  t.is(second.queue?.position, 1);
  t.is(urgent.queue?.position, 0);
  t.is(jobOf(await app.inject(`/v1/jobs/${second.id}`)).queue?.position, 2);
});
