import test from 'ava';
import { png } from '../../helpers/pictures.ts';
import { errorOf, jobOf, jsonOf, post, question } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';
import { answer, say, claimJob } from '../../helpers/worker.ts';

test('a cancelled job keeps what it has written, and its worker can write no more', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const claim = await claimJob(jobs, id);
  await say(jobs, claim, 'half an ', 0);
  const response = await app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
  t.is(response.statusCode, 200, response.body);
  t.like(jobOf(response), {
    status: 'cancelled',
    output: { text: 'half an ', finish_reason: 'cancelled' },
  });
  t.false(await say(jobs, claim, 'answer', 1));
});

test('cancelling what has ended changes nothing', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  await answer(jobs, id, { pieces: ['done'] });
  const job = jobOf(await app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` }));
  t.like(job, { status: 'completed', output: { text: 'done' } });
});

test('cancelling takes an encode off its queue when nobody else waits for it', async (t) => {
  const { app, waitingEncodes } = await testApi(t);
  const first = jobOf(await post(app, '/v1/jobs', question('a?', png())));
  const second = jobOf(await post(app, '/v1/jobs', question('b?', png())));
  const cancel = (id: string) => app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
  await cancel(first.id);
  t.is((await waitingEncodes()).length, 1);
  await cancel(second.id);
  t.is((await waitingEncodes()).length, 0);
});

test('a deleted job is gone, also one that had not ended', async (t) => {
  const { app } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const response = await app.inject({ method: 'DELETE', url: `/v1/jobs/${id}` });
  t.deepEqual(jsonOf(response), { id, object: 'job', deleted: true });
  t.is((await app.inject(`/v1/jobs/${id}`)).statusCode, 404);
  t.is((await app.inject({ method: 'DELETE', url: `/v1/jobs/${id}` })).statusCode, 404);
});

test('jobs are listed the newest first, by page and by status', async (t) => {
  const { app, jobs } = await testApi(t);
  const ids: string[] = [];
  for (const text of ['a', 'b', 'c'])
    ids.push(jobOf(await post(app, '/v1/jobs', question(text))).id);
  await answer(jobs, ids[1] ?? '', { pieces: ['x'] });
  const list = async (query: string) => {
    const page = jsonOf<{ data: { id: string }[]; has_more: boolean; last_id: string | null }>(
      await app.inject(`/v1/jobs${query}`),
    );
    return { ...page, ids: page.data.map(({ id }) => id) };
  };
  const [a, b, c] = ids;
  t.deepEqual((await list('')).ids, [c, b, a]);
  const first = await list('?limit=2');
  t.deepEqual([first.ids, first.has_more, first.last_id], [[c, b], true, b]);
  const rest = await list(`?limit=2&after=${first.last_id}`);
  t.deepEqual([rest.ids, rest.has_more], [[a], false]);
  t.deepEqual((await list('?order=asc')).ids, [a, b, c]);
  t.deepEqual((await list('?status=completed')).ids, [b]);
  t.is(errorOf(await app.inject('/v1/jobs?limit=0')).param, 'limit');
});

test('a list continues from a job that was deleted meanwhile, and from none that is unknown', async (t) => {
  const { app } = await testApi(t);
  const ids: string[] = [];
  for (const text of ['a', 'b', 'c'])
    ids.push(jobOf(await post(app, '/v1/jobs', question(text))).id);
  const [a, b] = ids;
  await app.inject({ method: 'DELETE', url: `/v1/jobs/${b}` });
  const rest = jsonOf<{ data: { id: string }[] }>(await app.inject(`/v1/jobs?after=${b}`));
  t.deepEqual(
    rest.data.map(({ id }) => id),
    [a],
  );
  const refused = await app.inject(`/v1/jobs?after=job_${'0'.repeat(32)}`);
  t.is(refused.statusCode, 400);
  t.like(errorOf(refused), { code: 'invalid_value', param: 'after' });
});

test('Prefer: wait holds the answer until the job has ended', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const waiting = app.inject({
    url: `/v1/jobs/${id}`,
    headers: { prefer: 'respond-async, wait=20' },
  });
  await answer(jobs, id, { pieces: ['yes'] });
  const response = await waiting;
  t.is(response.headers['preference-applied'], 'wait=20');
  t.like(jobOf(response), { status: 'completed', output: { text: 'yes' } });
});

test('Prefer: wait on submission answers 200 with the ended job, 202 when time has run out', async (t) => {
  const { app, jobs } = await testApi(t);
  const late = await post(app, '/v1/jobs', question('?'), { prefer: 'wait=1' });
  t.is(late.statusCode, 202);
  const stop = await jobs.onEnded(() => undefined);
  const waiting = post(
    app,
    '/v1/jobs',
    { ...question('?'), metadata: { which: 'this' } },
    { prefer: 'wait' },
  );
  for (let id: string | undefined; id === undefined;) {
    const page = await jobs.list({ tenant: 'local', limit: 5, order: 'desc' });
    id = page.jobs.find(({ metadata }) => metadata['which'] === 'this')?.id;
    if (id !== undefined) await answer(jobs, id, { pieces: ['now'] });
  }
  const response = await waiting;
  await stop();
  t.is(response.statusCode, 200);
  t.is(jobOf(response).output?.text, 'now');
});
