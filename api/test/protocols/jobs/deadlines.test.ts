import { Reconciler, jobKeys } from '@epd/jobs';
import { eventually } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { png } from '../../helpers/pictures.ts';
import { errorOf, jobOf, post, question } from '../../helpers/requests.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { say, claimJob } from '../../helpers/worker.ts';

/** What every API process runs beside answering. */
function reconcile(t: ExecutionContext, { redis, prefix, jobs, services }: TestApi): void {
  const reconciler = new Reconciler({
    redis,
    prefix,
    jobs,
    intervalMs: 50,
    onExpired: (job) => services.ender.release(job),
  });
  reconciler.start();
  t.teardown(() => reconciler.stop());
}

const expired = ({ app }: TestApi, id: string) =>
  eventually(async () => {
    const job = jobOf(await app.inject(`/v1/jobs/${id}`));
    return job.status === 'expired' && job;
  });

test('a job that has not begun in time expires, and its encode is released', async (t) => {
  const api = await testApi(t);
  reconcile(t, api);
  const { id } = jobOf(
    await post(api.app, '/v1/jobs', { ...question('?', png()), start_within_s: 0.2 }),
  );
  const job = await expired(api, id);
  t.like(job.error, { code: 'not_started_in_time', retryable: true });
  await eventually(async () => (await api.waitingEncodes()).length === 0);
});

test('a job that has not ended in time expires with what it has written', async (t) => {
  const api = await testApi(t);
  const deadlines = { start_within_s: 60, finish_within_s: 2 };
  const { id } = jobOf(await post(api.app, '/v1/jobs', { ...question('?'), ...deadlines }));
  await say(api.jobs, await claimJob(api.jobs, id), 'so far', 0);
  reconcile(t, api);
  const job = await expired(api, id);
  t.is(job.error?.code, 'deadline_exceeded');
  t.is(job.output?.text, 'so far');
});

test('a job that began in time is not bound by its start', async (t) => {
  const api = await testApi(t);
  const { id } = jobOf(await post(api.app, '/v1/jobs', { ...question('?'), start_within_s: 2 }));
  await claimJob(api.jobs, id);
  const startByMs = (await api.jobs.get(id))?.request.startByMs ?? Infinity;
  await eventually(() => Date.now() > startByMs);
  reconcile(t, api);
  await eventually(async () => (await api.redis.zcard(jobKeys(api.prefix).deadlines)) === 0);
  t.is(jobOf(await api.app.inject(`/v1/jobs/${id}`)).status, 'in_progress');
});

test('a deadline in the past, or beyond a week, is refused', async (t) => {
  const { app } = await testApi(t);
  for (const finish_within_s of [0, -1, 1e9]) {
    const response = await post(app, '/v1/jobs', { ...question('?'), finish_within_s });
    t.is(errorOf(response).param, 'finish_within_s');
  }
});
