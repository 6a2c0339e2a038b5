import test from 'ava';
import { eventually } from '@epd/service/testing';
import { errorOf, jobOf, post, question } from '../../helpers/requests.ts';
import { listen, readSse } from '../../helpers/sse-client.ts';
import { testApi } from '../../helpers/test-api.ts';
import { answer, end, say, claimJob } from '../../helpers/worker.ts';

test('a finished job replays its stages and tokens in order and then ends', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  await answer(jobs, id, { pieces: ['a', 'b'] });
  const response = await app.inject(`/v1/jobs/${id}/events`);
  t.is(response.headers['content-type'], 'text/event-stream; charset=utf-8');
  const events = readSse(response.body);
  t.deepEqual(
    events.map(({ id: seq }) => seq),
    ['1', '2', '3', '4', '5'],
  );
  t.deepEqual(
    events.map(({ event }) => event),
    ['stage', 'stage', 'tokens', 'tokens', 'end'],
  );
  t.like(events[2]?.data, { seq: 3, type: 'tokens', text: 'a', ids: [0], choice: 0 });
});

test('a reader resumes after Last-Event-ID or starting_after, without a repeat', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  await answer(jobs, id, { pieces: ['a', 'b'] });
  const url = `/v1/jobs/${id}/events`;
  const byHeader = await app.inject({ url, headers: { 'last-event-id': '3' } });
  const byQuery = await app.inject(`${url}?starting_after=3`);
  const atEnd = await app.inject(`${url}?starting_after=5`);
  t.deepEqual(
    readSse(byHeader.body).map(({ id: seq }) => seq),
    ['4', '5'],
  );
  t.is(byQuery.body, byHeader.body);
  t.is(atEnd.body, '');
});

test('a Last-Event-ID that is no number is refused', async (t) => {
  const { app } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const response = await app.inject({
    url: `/v1/jobs/${id}/events`,
    headers: { 'last-event-id': 'x' },
  });
  t.is(errorOf(response).code, 'invalid_header');
});

test('a point in the stream that no stream can reach is refused', async (t) => {
  const { app } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const response = await app.inject(`/v1/jobs/${id}/events?starting_after=1e21`);
  t.is(errorOf(response).code, 'invalid_value');
});

test('replay joins live events with no gap and no repeat, for many readers of a busy job', async (t) => {
  const { app, jobs } = await testApi(t);
  const base = await listen(app);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const claim = await claimJob(jobs, id);
  const readers: Promise<string>[] = [];
  const pieces = Array.from({ length: 120 }, (_, token) => `${token} `);
  for (const [token, text] of pieces.entries()) {
    if (token % 10 === 0)
      readers.push(fetch(`${base}/v1/jobs/${id}/events`).then((body) => body.text()));
    await say(jobs, claim, text, token);
  }
  await end(jobs, claim, pieces);
  for (const body of await Promise.all(readers)) {
    const events = readSse(body);
    t.deepEqual(
      events.map(({ id: seq }) => Number(seq)),
      Array.from({ length: 123 }, (_, index) => index + 1),
    );
    t.is(
      events.map(({ data }) => (data['type'] === 'tokens' ? data['text'] : '')).join(''),
      pieces.join(''),
    );
  }
});

test('a reader that leaves is forgotten', async (t) => {
  const { app, redis, prefix, jobs } = await testApi(t);
  const base = await listen(app);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const leaving = new AbortController();
  const response = await fetch(`${base}/v1/jobs/${id}/events`, { signal: leaving.signal });
  await response.body?.getReader().read();
  const channel = `${prefix}:channel:job:${id}`;
  const subscribers = async () => Number((await redis.pubsub('NUMSUB', channel))[1]);
  t.is(await subscribers(), 1);
  leaving.abort();
  await eventually(async () => (await subscribers()) === 0);
  await answer(jobs, id, { pieces: ['x'] });
});

test('closing the server ends the open streams', async (t) => {
  const { app } = await testApi(t);
  const base = await listen(app);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const response = await fetch(`${base}/v1/jobs/${id}/events`);
  const [body] = await Promise.all([response.text(), app.close()]);
  t.deepEqual(
    readSse(body).map(({ event }) => event),
    ['stage'],
  );
});
