import { withClock } from '@epd/connector/testing';
import { jobKeys } from '@epd/jobs';
import { eventually } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { BadRequestError, NotFoundError } from 'openai';
import type { Batch } from 'openai/resources/batches';
import type { BatchRunner } from '../../../src/core/batches/batch-runner.ts';
import { batchRunner } from '../../helpers/batch-runner.ts';
import { openaiClient, type ClientAndApi } from '../../helpers/openai-client.ts';

interface Line {
  readonly custom_id: string;
  readonly response: {
    request_id: string;
    status_code: number;
    body: { error?: { code: string } };
  } | null;
  readonly error: { code: string } | null;
}

const chat = (custom_id: string, content: string, more: object = {}) => ({
  custom_id,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'tiny-vlm', messages: [{ role: 'user', content }], ...more },
});

const respond = (custom_id: string, body: object) => ({
  custom_id,
  method: 'POST',
  url: '/v1/responses',
  body: { model: 'tiny-vlm', ...body },
});

/** What an API process does for batches. */
function startRunner(t: ExecutionContext, { api }: ClientAndApi): BatchRunner {
  const { runner } = batchRunner(t, api);
  runner.start();
  t.teardown(() => runner.stop());
  return runner;
}

async function submit(
  { client }: ClientAndApi,
  lines: readonly unknown[],
  window = '24h',
  endpoint: '/v1/chat/completions' | '/v1/responses' = '/v1/chat/completions',
): Promise<Batch> {
  const text = lines
    .map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
    .join('\n');
  const file = await client.files.create({ file: new File([text], 'in.jsonl'), purpose: 'batch' });
  return client.batches.create({
    input_file_id: file.id,
    endpoint,
    completion_window: window as '24h',
    metadata: { a: 'b' },
  });
}

const ended = ({ client }: ClientAndApi, id: string) =>
  eventually(
    async () => {
      const batch = await client.batches.retrieve(id);
      return ['completed', 'failed', 'cancelled', 'expired'].includes(batch.status) && batch;
    },
    { withinMs: 30_000 },
  );

async function linesOf(
  { client }: ClientAndApi,
  fileId: string | null | undefined,
): Promise<Line[]> {
  if (typeof fileId !== 'string') return [];
  const text = await (await client.files.content(fileId)).text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

test('a batch answers every line, failures apart, in order and with counts', async (t) => {
  const both = await openaiClient(t);
  startRunner(t, both);
  const count = 90;
  const lines = Array.from({ length: count }, (_, index) =>
    chat(`line-${index}`, `answer ${index}`),
  );
  const { id } = await submit(both, [
    ...lines,
    chat('bad-job', 'fail image_broken'),
    chat('bad-body', 'x', { temperature: 9 }),
    chat('bad-stream', 'x', { stream: true }),
  ]);
  const batch = await ended(both, id);
  t.like(batch, {
    status: 'completed',
    completion_window: '24h',
    metadata: { a: 'b' },
    request_counts: { total: count + 3, completed: count, failed: 3 },
  });
  const output = await linesOf(both, batch.output_file_id);
  t.deepEqual(
    output.map(({ custom_id: own }) => own),
    lines.map(({ custom_id: own }) => own),
  );
  t.is(output[7]?.response?.status_code, 200);
  t.like(output[7]?.response?.body, { choices: [{ message: { content: 'answer 7' } }] });
  const errors = await linesOf(both, batch.error_file_id);
  const ids = new Set([...output, ...errors].map((line) => line.response?.request_id));
  t.is(ids.size, count + 3);
  for (const one of ids) t.regex(one ?? '', /^job_/);
  t.deepEqual(
    errors.map((line) => [
      line.custom_id,
      line.response?.status_code,
      line.response?.body.error?.code,
    ]),
    [
      ['bad-job', 400, 'invalid_image'],
      ['bad-body', 400, 'invalid_value'],
      ['bad-stream', 400, 'invalid_value'],
    ],
  );
});

test('a file that is no list of requests fails the batch, line by line', async (t) => {
  const both = await openaiClient(t);
  startRunner(t, both);
  const { id } = await submit(both, [
    chat('a', 'x'),
    'no json',
    chat('a', 'again'),
    { ...chat('b', 'x'), url: '/v1/embeddings' },
  ]);
  const batch = await ended(both, id);
  t.is(batch.status, 'failed');
  t.deepEqual(
    batch.errors?.data?.map(({ line }) => line),
    [2, 3, 4],
  );
});

test('a cancelled batch keeps what is done, and ends what is not', async (t) => {
  const both = await openaiClient(t);
  startRunner(t, both);
  const { id } = await submit(both, [chat('done', 'quick'), chat('never', 'wait for ever')]);
  await eventually(
    async () => (await both.client.batches.retrieve(id)).request_counts?.completed === 1,
  );
  t.is((await both.client.batches.cancel(id)).status, 'cancelling');
  const batch = await ended(both, id);
  t.is(batch.status, 'cancelled');
  t.deepEqual(
    (await linesOf(both, batch.output_file_id)).map(({ custom_id: own }) => own),
    ['done'],
  );
  const [unfinished] = await linesOf(both, batch.error_file_id);
  t.like(unfinished, { custom_id: 'never', response: null, error: { code: 'batch_cancelled' } });
  const running = await both.api.jobs.list({
    tenant: 'local',
    limit: 5,
    order: 'asc',
    status: 'in_progress',
  });
  t.is(running.jobs.length, 0);
});

test('a batch past its window expires', async (t) => {
  const both = await openaiClient(t);
  startRunner(t, both);
  const { id } = await submit(both, [chat('never', 'wait for ever')], '1s');
  const batch = await ended(both, id);
  t.is(batch.status, 'expired');
  t.is((await linesOf(both, batch.error_file_id)).length, 1);
});

for (const [wrong, offsetMs] of [
  ['ahead', 3_600_000],
  ['behind', -3_600_000],
] as const) {
  test.serial(
    `a batch and its jobs have their window from processes whose clock is an hour ${wrong}`,
    async (t) => {
      const both = await openaiClient(t);
      const { redis, prefix, jobs } = both.api;
      const endByMs = await withClock(offsetMs, async () => {
        const { id } = await submit(both, [chat('never', 'wait for ever')], '10m');
        const batch = await both.client.batches.retrieve(id);
        t.is(batch.expires_at! - batch.created_at, 600);
        return batch.expires_at! * 1000;
      });
      t.true(Math.abs(endByMs - Date.now() - 600_000) < 60_000);
      const runner = startRunner(t, both);
      const jobId = await withClock(offsetMs, () =>
        eventually(async () => (await redis.zrange(jobKeys(prefix).live, '0', '0'))[0]),
      );
      await runner.stop();
      const job = await jobs.get(jobId);
      t.true(Math.abs((job?.request.endByMs ?? 0) - endByMs) < 60_000);
    },
  );
}

test('another process resumes where one has stopped, and no line runs twice', async (t) => {
  const both = await openaiClient(t);
  const first = startRunner(t, both);
  const { id } = await submit(both, [chat('one', 'quick'), chat('two', 'wait here')]);
  await eventually(
    async () => (await both.client.batches.retrieve(id)).request_counts?.completed === 1,
  );
  await first.stop();
  await both.api.redis.del(`${both.api.prefix}:batch:${id}:lock`);
  startRunner(t, both);
  const page = await eventually(async () =>
    both.api.jobs.list({ tenant: 'local', limit: 9, order: 'asc' }),
  );
  t.is(page.jobs.length, 2);
  const waiting = page.jobs.find(({ ending }) => ending === null);
  await both.api.app.inject({ method: 'POST', url: `/v1/jobs/${waiting?.id ?? ''}/cancel` });
  const batch = await ended(both, id);
  t.deepEqual(batch.request_counts, { total: 2, completed: 1, failed: 1 });
});

test('batches are listed, and refuse a file of another purpose or of nobody', async (t) => {
  const both = await openaiClient(t);
  const { client } = both;
  const { id } = await submit(both, [chat('a', 'x')]);
  t.deepEqual(
    (await Array.fromAsync(client.batches.list())).map((batch) => batch.id),
    [id],
  );
  const other = await client.files.create({ file: new File(['x'], 'x'), purpose: 'user_data' });
  const create = (input_file_id: string) =>
    client.batches.create({ input_file_id, endpoint: '/v1/responses', completion_window: '24h' });
  await t.throwsAsync(create(other.id), { instanceOf: BadRequestError });
  await t.throwsAsync(create('file-unknown'), { instanceOf: NotFoundError });
});

test('a page after a batch that is not in the list is refused', async (t) => {
  const { client } = await openaiClient(t);
  const error = await t.throwsAsync(client.batches.list({ after: 'batch_unknown' }).asResponse());
  t.like(error, { status: 400, code: 'invalid_value', param: 'after' });
});

test('a line of responses builds on an earlier response, or is refused', async (t) => {
  const both = await openaiClient(t);
  const { client, api } = both;
  startRunner(t, both);
  const first = await client.responses.create({ model: 'tiny-vlm', input: 'red' });
  const unknown = `resp_${'0'.repeat(32)}`;
  const lines = [
    respond('next', { input: [{ role: 'user', content: 'and' }], previous_response_id: first.id }),
    respond('lost', { input: 'and', previous_response_id: unknown }),
  ];
  const batch = await ended(both, (await submit(both, lines, '24h', '/v1/responses')).id);
  const [answered] = await linesOf(both, batch.output_file_id);
  const { id = '' } = (answered?.response?.body ?? {}) as { id?: string };
  const job = await api.jobs.get(id.replace('resp_', 'job_'));
  t.deepEqual(
    job?.request.messages.map(({ content }) => content),
    ['red', 'red', 'and'],
  );
  const [refused] = await linesOf(both, batch.error_file_id);
  t.like(refused, { custom_id: 'lost', response: { status_code: 404 } });
});
