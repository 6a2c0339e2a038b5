import { eventually } from '@epd/service/testing';
import test from 'ava';
import { jobOf, post, question } from './helpers/requests.ts';
import { listen, readSse } from './helpers/sse-client.ts';
import { testApi } from './helpers/test-api.ts';
import { end, say, claimJob } from './helpers/worker.ts';

test('a job that one replica accepted is answered for, followed and cancelled at any other', async (t) => {
  const first = await testApi(t);
  const second = await testApi(t, { prefix: first.prefix });
  const { id } = jobOf(await post(first.app, '/v1/jobs', question('?')));
  t.is(jobOf(await second.app.inject(`/v1/jobs/${id}`)).status, 'queued');
  const waiting = second.app.inject({ url: `/v1/jobs/${id}`, headers: { prefer: 'wait=20' } });
  await first.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
  t.is(jobOf(await waiting).status, 'cancelled');
});

test('a reader whose replica stops resumes at another where it was', async (t) => {
  const first = await testApi(t);
  const second = await testApi(t, { prefix: first.prefix });
  const { id } = jobOf(await post(first.app, '/v1/jobs', question('?')));
  const claim = await claimJob(first.jobs, id);
  await say(second.jobs, claim, 'one ', 0);
  const response = await fetch(`${await listen(first.app)}/v1/jobs/${id}/events`);
  const before = response.text();
  await eventually(
    async () => (await second.redis.pubsub('NUMSUB', `${first.prefix}:channel:job:${id}`))[1] === 1,
  );
  await first.app.close();
  const read = readSse(await before);
  await say(second.jobs, claim, 'two', 1);
  await end(second.jobs, claim, ['one ', 'two']);
  const headers = { 'last-event-id': read.at(-1)?.id ?? '' };
  const rest = readSse((await second.app.inject({ url: `/v1/jobs/${id}/events`, headers })).body);
  const all = [...read, ...rest];
  t.deepEqual(
    all.map(({ id: seq }) => seq),
    ['1', '2', '3', '4', '5'],
  );
  t.is(all.map(({ data }) => (data['type'] === 'tokens' ? data['text'] : '')).join(''), 'one two');
});

test('the same Idempotency-Key at two replicas at once makes one job', async (t) => {
  const first = await testApi(t);
  const second = await testApi(t, { prefix: first.prefix });
  const headers = { 'idempotency-key': 'once' };
  const answers = await Promise.all(
    [first, second, first, second].map(({ app }) => post(app, '/v1/jobs', question('?'), headers)),
  );
  t.is(new Set(answers.map((answer) => jobOf(answer).id)).size, 1);
  t.is((await first.jobs.list({ tenant: 'local', limit: 9, order: 'asc' })).jobs.length, 1);
});
