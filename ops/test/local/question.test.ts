import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '@epd/service/testing';
import { DemoScreen } from '../../local/demo-screen.ts';
import { ApiAnswerError, ask, type JobEvent } from '../../local/question.ts';

const QUESTION = { picture: Buffer.from('PNG'), mediaType: 'image/png', text: 'What?' };
const EVENTS: JobEvent[] = [
  { type: 'stage', stage: 'queued', ms: 0 },
  { type: 'stage', stage: 'waiting_for_embeddings', ms: 31.4, item: 0 },
  { type: 'tokens', text: ' A' },
  { type: 'tokens', text: ' cat.' },
  { type: 'end', status: 'completed' },
];
const DONE = {
  id: 'job_1',
  status: 'completed',
  usage: {
    prompt_tokens: 20,
    completion_tokens: 3,
    image_tokens: 16,
    images: { encoded: 1, reused: 0 },
  },
};

/** An HTTP server that answers like the API, with the given answers by path. */
async function api(
  t: ExecutionContext,
  answers: Record<string, (response: ServerResponse, body: string) => void>,
) {
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on(
      'end',
      () => answers[`${request.method} ${request.url}`]?.(response, body) ?? response.end(),
    );
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  return `http://127.0.0.1:${port}`;
}

const stream = EVENTS.map(
  (event, index) => `id: ${index}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
);

test('a question goes out as a chat message with the picture in it; its events come one by one', async (t) => {
  const bodies: unknown[] = [];
  const url = await api(t, {
    'GET /v1/models': (response) => response.end(JSON.stringify({ data: [{ id: 'tiny' }] })),
    'POST /v1/jobs': (response, body) => {
      bodies.push(JSON.parse(body));
      response.end(JSON.stringify({ id: 'job_1', status: 'queued' }));
    },
    'GET /v1/jobs/job_1/events': (response) => response.end(stream.join('')),
    'GET /v1/jobs/job_1': (response) => response.end(JSON.stringify(DONE)),
  });
  const events: JobEvent[] = [];
  const signal = AbortSignal.timeout(10_000);
  const job = await ask(url, QUESTION, { onEvent: (event) => events.push(event), signal });
  t.deepEqual(events, EVENTS);
  t.is(job.status, 'completed');
  t.like(bodies[0], { model: 'tiny' });
  t.regex(JSON.stringify(bodies[0]), /data:image\/png;base64,UE5H.*"text":"What\?"/);
});

test('a stream that breaks off is no end: the record is polled until it has one', async (t) => {
  const records = [{ ...DONE, status: 'in_progress' }, DONE];
  const url = await api(t, {
    'GET /v1/models': (response) => response.end('{"data":[]}'),
    'POST /v1/jobs': (response) => response.end('{"id":"job_1"}'),
    'GET /v1/jobs/job_1/events': (response) => response.end(stream[0]),
    'GET /v1/jobs/job_1': (response) => response.end(JSON.stringify(records.shift())),
  });
  const job = await ask(url, QUESTION, { onEvent: () => {}, signal: AbortSignal.timeout(10_000) });
  t.is(job.status, 'completed');
});

test('an answer that is an error is reported with its address, status and text', async (t) => {
  const url = await api(t, {
    'GET /v1/models': (response) => response.end('{"data":[]}'),
    'POST /v1/jobs': (response) => response.writeHead(400).end('{"error":"no such model"}'),
  });
  const asked = ask(url, QUESTION, { onEvent: () => {}, signal: AbortSignal.timeout(10_000) });
  await t.throwsAsync(asked, {
    instanceOf: ApiAnswerError,
    message: /\/v1\/jobs answered 400: .*no such model/,
  });
});

test('the screen has a line per stage with its time, then the answer as it grows', (t) => {
  let screen = '';
  const shown = new DemoScreen((text) => (screen += text));
  for (const event of EVENTS) shown.show(event);
  shown.end(DONE);
  t.deepEqual(screen.split('\n'), [
    '       0 ms  queued',
    '      31 ms  waiting for embeddings (picture 1)',
    '',
    '  Answer: A cat.',
    '',
    '  20 prompt tokens, of which 16 of the picture (1 encoded, 0 reused); 3 tokens of answer',
    '',
  ]);
});

test('a job that did not complete shows why', (t) => {
  let screen = '';
  const shown = new DemoScreen((text) => (screen += text));
  shown.end({
    id: 'job_1',
    status: 'failed',
    error: { code: 'image_broken', message: 'cut short' },
  });
  t.regex(screen, /ended as failed: image_broken cut short/);
});
