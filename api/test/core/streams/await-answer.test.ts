import { promisify } from 'node:util';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { openaiClient } from '../../helpers/openai-client.ts';
import type { TestApi } from '../../helpers/test-api.ts';

/**
 * Asked so that the worker writes the answer and leaves the end to others. Responses are stored: one that is not is
 * forgotten as it ends, maybe before a test has looked.
 */
const QUESTIONS = {
  '/chat/completions': { messages: [{ role: 'user', content: 'wait here' }] },
  '/responses': { input: 'wait here' },
};

interface Post {
  readonly body: object;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
}

const post = (url: string, { body, headers = {}, signal }: Post) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'tiny-vlm', ...body }),
    signal: signal ?? null,
  });

/** The server has heard that its callers are gone. */
const hungUp = ({ app: { server } }: TestApi) =>
  eventually(async () => (await promisify(server.getConnections.bind(server))()) === 0);

/** The one job, once its whole answer is in its stream. */
async function writtenJob({ jobs }: TestApi): Promise<string | null> {
  const { jobs: all } = await jobs.list({ tenant: 'local', limit: 2, order: 'asc' });
  const events = await jobs.events(all[0]?.id ?? '', 0);
  const written = events.filter(({ type }) => type === 'tokens').length === 2;
  return written && all.length === 1 ? (all[0]?.id ?? null) : null;
}

async function complete({ jobs }: TestApi, id: string): Promise<void> {
  const choice = { text: 'wait here', finishReason: 'stop' as const, tokenIds: [0, 1] };
  await jobs.finish(id, {
    status: 'completed',
    choices: [choice],
    usage: null,
    timings: {},
    error: null,
  });
}

/** Records are written no more until the returned function is called; the promise is of the first that waits. */
function holdUpRecords({ jobs }: TestApi): {
  readonly held: Promise<string>;
  readonly write: () => void;
} {
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<string>();
  const create = jobs.create.bind(jobs);
  jobs.create = async (job) => {
    held.resolve(job.id);
    await gate.promise;
    return create(job);
  };
  return { held: held.promise, write: gate.resolve };
}

for (const [route, question] of Object.entries(QUESTIONS)) {
  for (const stream of [false, true]) {
    test(`${route}, stream ${stream}: with an Idempotency-Key the job outlives its caller, whose repetition gets the answer`, async (t) => {
      const { api, baseURL } = await openaiClient(t);
      const body = { ...question, stream };
      const headers = { 'idempotency-key': 'k' };
      const send = (signal?: AbortSignal) => post(`${baseURL}${route}`, { body, headers, signal });
      const leaving = new AbortController();
      const left = send(leaving.signal).catch(() => null);
      const id = await eventually(() => writtenJob(api));
      leaving.abort();
      await left;
      await hungUp(api);
      t.is((await api.jobs.get(id))?.status, 'in_progress');
      const again = send();
      await complete(api, id);
      const response = await again;
      t.is(response.status, 200);
      t.is(response.headers.get('idempotency-replayed'), 'true');
      t.regex(await response.text(), /here/);
      t.is((await api.jobs.get(id))?.status, 'completed', 'it is kept for the next repetition');
    });

    test(`${route}, stream ${stream}: a caller that leaves before its job is written ends it`, async (t) => {
      const { api, baseURL } = await openaiClient(t);
      const { held, write } = holdUpRecords(api);
      const leaving = new AbortController();
      const body = { ...question, stream };
      const left = post(`${baseURL}${route}`, { body, signal: leaving.signal }).catch(() => null);
      const id = await held;
      leaving.abort();
      await left;
      await hungUp(api);
      write();
      t.true(await eventually(async () => (await api.jobs.get(id))?.status === 'cancelled'));
    });
  }
}
