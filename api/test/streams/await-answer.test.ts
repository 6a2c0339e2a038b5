import { promisify } from 'node:util';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { openaiClient } from '../helpers/openai-client.ts';
import type { TestApi } from '../helpers/test-api.ts';

/** Asked so that the worker writes the answer and leaves the end to others. */
const QUESTIONS = {
  '/chat/completions': { messages: [{ role: 'user', content: 'wait here' }] },
  '/responses': { input: 'wait here', store: false },
};

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

for (const [route, question] of Object.entries(QUESTIONS)) {
  for (const stream of [false, true]) {
    test(`${route}, stream ${stream}: with an Idempotency-Key the job outlives its caller, whose repetition gets the answer`, async (t) => {
      const { api, baseURL } = await openaiClient(t);
      const connections = promisify(api.app.server.getConnections.bind(api.app.server));
      const send = (signal: AbortSignal | null = null) =>
        fetch(`${baseURL}${route}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
          body: JSON.stringify({ model: 'tiny-vlm', ...question, stream }),
          signal,
        });
      const leaving = new AbortController();
      const left = send(leaving.signal).catch(() => null);
      const id = await eventually(() => writtenJob(api));
      leaving.abort();
      await left;
      await eventually(async () => (await connections()) === 0);
      t.is((await api.jobs.get(id))?.status, 'in_progress');
      const again = send();
      await complete(api, id);
      const response = await again;
      t.is(response.status, 200);
      t.is(response.headers.get('idempotency-replayed'), 'true');
      t.regex(await response.text(), /here/);
      t.is((await api.jobs.get(id))?.status, 'completed', 'it is kept for the next repetition');
    });
  }
}
