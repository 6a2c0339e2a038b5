import { withClock } from '@epd/connector/testing';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jobKeys } from '@epd/jobs';
import { redisOptions } from '@epd/service';
import { eventually, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { Webhook } from 'standardwebhooks';
import type { JobView } from '../../../src/core/jobs/job-view-schema.ts';
import { createAddressPolicy } from '../../../src/core/media/address-policy.ts';
import { WebhookQueue } from '../../../src/core/webhooks/webhook-queue.ts';
import { WebhookSecrets } from '../../../src/core/webhooks/webhook-secrets.ts';
import { WebhookSender } from '../../../src/core/webhooks/webhook-sender.ts';
import { errorOf, jobOf, jsonOf, post, question } from '../../helpers/requests.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { answer } from '../../helpers/worker.ts';

const onError = (): undefined => undefined;

const SECRET = 'the-fleet-secret-of-tests';
const CONFIG = { webhookSecret: SECRET, webhookHosts: ['127.0.0.1', '*.example.com'] };

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const dataOf = (message: Received | undefined): JobView =>
  (JSON.parse(message?.body ?? '{}') as { data: JobView }).data;

/** A receiver that answers with the given statuses in turn, and with 204 from then on. */
async function receiver(t: ExecutionContext, ...statuses: number[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => server.close());
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

/** What an API process does for webhooks, over a connection of its own. */
async function startDelivery({ jobs, reader, prefix }: TestApi) {
  const redis = new Redis(testRedisUrl(), redisOptions('test'));
  const secrets = new WebhookSecrets(SECRET);
  const policy = createAddressPolicy(['127.0.0.1/32']);
  const sender = new WebhookSender({ redis, prefix, secrets, policy, onError });
  const queue = new WebhookQueue({ redis, prefix, jobs, reader, retryMs: 20, onError });
  await queue.start();
  return async () => {
    await queue.stop();
    await sender.stop();
    redis.disconnect();
  };
}

const submit = async (api: TestApi, webhook: object) =>
  jobOf(await post(api.app, '/v1/jobs', { ...question('?'), webhook }));

test('a webhook is sent for an ended job, signed as Standard Webhooks', async (t) => {
  const api = await testApi(t, CONFIG);
  const { received, url } = await receiver(t);
  const stop = await startDelivery(api);
  const { id } = await submit(api, { url });
  await answer(api.jobs, id, { pieces: ['yes'] });
  const { headers, body } = await eventually(() => received[0]);
  const { secret } = jsonOf<{ secret: string }>(await api.app.inject('/v1/webhooks/secret'));
  const message = new Webhook(secret).verify(body, headers as Record<string, string>);
  t.like(message, {
    type: 'job.completed',
    data: { id, status: 'completed', output: { text: 'yes' } },
  });
  t.is(headers['webhook-id'], id.replace('job_', 'msg_'));
  await stop();
});

test.serial(
  'a process whose clock is an hour behind signs by Redis’s: receivers refuse what is old',
  async (t) => {
    const api = await testApi(t, CONFIG);
    const { received, url } = await receiver(t);
    const { id } = await submit(api, { url });
    await answer(api.jobs, id, { pieces: ['yes'] });
    await withClock(-3_600_000, async () => {
      const stop = await startDelivery(api);
      await eventually(() => received.length > 0);
      await stop();
    });
    const { headers, body } = received[0]!;
    const webhook = new Webhook(new WebhookSecrets(SECRET).secretOf('local'));
    t.notThrows(() => webhook.verify(body, headers as Record<string, string>));
  },
);

test('a receiver that fails is tried again, with the same id, until it takes the message', async (t) => {
  const api = await testApi(t, CONFIG);
  const { received, url } = await receiver(t, 500, 302, 429);
  const stop = await startDelivery(api);
  const { id } = await submit(api, { url });
  await answer(api.jobs, id, { pieces: ['yes'] });
  await eventually(() => received.length === 4);
  t.is(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1);
  t.is(new Set(received.map(({ body }) => body)).size, 1);
  await stop();
});

test('what ended while no API process ran, or was being tried again, is sent by the next', async (t) => {
  const api = await testApi(t, CONFIG);
  const { received, url } = await receiver(t, 500);
  const { id } = await submit(api, { url });
  await answer(api.jobs, id, { pieces: ['yes'] });
  const stopFirst = await startDelivery(api);
  await eventually(() => received.length > 0);
  await stopFirst();
  await api.app.inject({ method: 'DELETE', url: `/v1/jobs/${id}` });
  const stopSecond = await startDelivery(api);
  await eventually(() => received.length > 1);
  t.is(dataOf(received[1]).output?.text, 'yes');
  await stopSecond();
});

test('only the events that were asked for are sent', async (t) => {
  const api = await testApi(t, CONFIG);
  const { received, url } = await receiver(t);
  const stop = await startDelivery(api);
  const quiet = await submit(api, { url, events: ['job.failed'] });
  const loud = await submit(api, { url, events: ['job.completed'] });
  await answer(api.jobs, quiet.id, { pieces: ['a'] });
  await answer(api.jobs, loud.id, { pieces: ['b'] });
  await eventually(() => received.length > 0);
  t.deepEqual(
    received.map((message) => dataOf(message).id),
    [loud.id],
  );
  await stop();
});

test('any number of records that cannot be read hold up no other job’s message', async (t) => {
  const api = await testApi(t, CONFIG);
  const { received, url } = await receiver(t);
  const foreign = await Promise.all(Array.from({ length: 110 }, () => submit(api, { url })));
  for (const { id } of foreign) {
    await answer(api.jobs, id, { pieces: ['a'] });
    await api.redis.hset(`${api.prefix}:job:${id}`, 'request', '{"v":2}');
  }
  const known = await submit(api, { url });
  await answer(api.jobs, known.id, { pieces: ['a'] });
  const stop = await startDelivery(api);
  t.is(dataOf(await eventually(() => received[0])).id, known.id);
  await stop();
});

/** Processes that look after webhooks, what they read, and nobody to send anything. */
async function movers(t: ExecutionContext, { jobs, reader, prefix }: TestApi, count: number) {
  const redis = new Redis(testRedisUrl(), redisOptions('test'));
  const seen = { lists: 0, jobs: 0 };
  const zrange = redis.zrange.bind(redis);
  redis.zrange = ((...args: Parameters<typeof zrange>) => {
    seen.lists += 1;
    return zrange(...args);
  }) as typeof zrange;
  const counting: Pick<typeof reader, 'view'> = {
    view: async (job) => {
      seen.jobs += 1;
      return reader.view(job);
    },
  };
  const parts = { redis, prefix, jobs, reader: counting, retryMs: 20, onError };
  const queues = Array.from({ length: count }, () => new WebhookQueue(parts));
  for (const queue of queues) await queue.start();
  t.teardown(async () => {
    for (const queue of queues) await queue.stop();
    redis.disconnect();
  });
  return seen;
}

test('however many have ended, one look moves them all', async (t) => {
  const api = await testApi(t, CONFIG);
  const { url } = await receiver(t);
  const many = 101;
  const jobs = await Promise.all(Array.from({ length: many }, () => submit(api, { url })));
  await Promise.all(jobs.map(({ id }) => answer(api.jobs, id, { pieces: ['a'] })));
  const seen = await movers(t, api, 1);
  await eventually(() => seen.jobs === many);
  t.is(seen.lists, 2);
});

test('a job without a webhook costs the processes that look after webhooks nothing', async (t) => {
  const api = await testApi(t, CONFIG);
  const seen = await movers(t, api, 2);
  await eventually(() => seen.lists >= 2); // at the start
  const { id } = jobOf(await post(api.app, '/v1/jobs', question('?')));
  await answer(api.jobs, id, { pieces: ['yes'] });
  const hooked = await submit(api, { url: 'http://127.0.0.1/' });
  await answer(api.jobs, hooked.id, { pieces: ['yes'] });
  await eventually(() => seen.jobs === 1);
  t.true(seen.lists <= 4, `${seen.lists} looks`);
});

test('one of the processes moves a webhook; should it die at it, another does', async (t) => {
  const api = await testApi(t, CONFIG);
  const { id } = await submit(api, { url: 'http://127.0.0.1/' });
  await answer(api.jobs, id, { pieces: ['yes'] });
  const mark = jobKeys(api.prefix).webhookMover(id);
  await api.redis.set(mark, '1', 'PX', 60_000); // of a process that died
  const seen = await movers(t, api, 3);
  await eventually(() => seen.lists >= 3);
  t.is(seen.jobs, 0);
  await api.redis.del(mark); // as it expires
  const next = await submit(api, { url: 'http://127.0.0.1/' });
  await answer(api.jobs, next.id, { pieces: ['yes'] });
  await eventually(async () => (await api.redis.zcard(`${api.prefix}:jobs:webhooks`)) === 0);
  t.is(seen.jobs, 2);
});

test('a failing connection is reported as the others’ errors are', async (t) => {
  const { jobs, reader, prefix } = await testApi(t, CONFIG);
  const redis = new Redis(testRedisUrl(), redisOptions('test'));
  const told: unknown[] = [];
  const tell = (error: unknown): void => void told.push(error);
  const queue = new WebhookQueue({ redis, prefix, jobs, reader, retryMs: 20, onError: tell });
  await queue.start();
  redis.on('error', () => undefined);
  const error = new Error('cut');
  redis.emit('error', error);
  t.deepEqual(told, [error]);
  await queue.stop();
  redis.disconnect();
});

const refused = test.macro(async (t, url: string, overrides: object, message: RegExp) => {
  const { app } = await testApi(t, { ...CONFIG, ...overrides });
  const response = await post(app, '/v1/jobs', { ...question('?'), webhook: { url } });
  t.is(response.statusCode, 400);
  t.like(errorOf(response), { code: 'webhook_not_allowed', param: 'webhook.url' });
  t.regex(errorOf(response).message, message);
});

test(
  'refused: a host that is not allowed',
  refused,
  'https://evil.example/x',
  {},
  /not among those/,
);
test(
  'refused: a host that only ends like an allowed one',
  refused,
  'https://badexample.com/',
  {},
  /not among/,
);
test(
  'refused: plain http where it is not allowed',
  refused,
  'http://127.0.0.1/',
  { fetchHttp: false },
  /https/,
);
test('refused: credentials', refused, 'https://u:p@a.example.com/', {}, /credentials/);
test('refused: no URL', refused, 'nowhere', {}, /not a URL/);
test(
  'refused: anything where no secret is set',
  refused,
  'https://a.example.com/',
  { webhookSecret: undefined },
  /secret/,
);
