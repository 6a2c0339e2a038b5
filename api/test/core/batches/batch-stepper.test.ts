import test, { type ExecutionContext } from 'ava';
import { BatchLineRunner } from '../../../src/protocols/batches/line-runner.ts';
import type { Batch } from '../../../src/core/batches/batch-record.ts';
import { BatchStepper } from '../../../src/core/batches/batch-stepper.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { answer } from '../../helpers/worker.ts';

const TENANT = 'local';

interface Setting {
  readonly api: TestApi;
  readonly id: string;
  readonly inputFileId: string;
  readonly stepper: BatchStepper;
  /** The batch as it is recorded. */
  read(): Promise<Batch>;
  step(): Promise<boolean>;
}

/** A process that works at batches. */
const stepperOf = ({ services }: TestApi): BatchStepper =>
  new BatchStepper({ ...services, lines: new BatchLineRunner(services) });

/** A batch of so many questions, validated, with nobody to answer them but the test. */
async function batchOf(t: ExecutionContext, count: number): Promise<Setting> {
  const api = await testApi(t);
  const { batches, files } = api.services;
  const bytes = Buffer.from(Array.from({ length: count }, (_, index) => lineOf(index)).join('\n'));
  const { id: inputFileId } = await files.add({
    tenant: TENANT,
    filename: 'in.jsonl',
    purpose: 'batch',
    bytes,
    expiresAfterS: null,
  });
  const id = 'batch_1';
  const createdAtMs = Date.now();
  const endpoint = '/v1/chat/completions';
  const times = { createdAtMs, expiresAtMs: createdAtMs + 3_600_000 };
  await batches.create({ id, tenant: TENANT, endpoint, inputFileId, metadata: {}, ...times });
  const read = async (): Promise<Batch> => (await batches.get(id))!;
  const stepper = stepperOf(api);
  const step = async (): Promise<boolean> => stepper.step(await read());
  await step();
  return { api, id, inputFileId, stepper, read, step };
}

const lineOf = (index: number): string =>
  JSON.stringify({
    custom_id: `line-${index}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'tiny-vlm', messages: [{ role: 'user', content: `question ${index}` }] },
  });

/** The jobs of lines that were submitted, in the order of their lines. */
async function jobIds({ api }: Setting): Promise<string[]> {
  const { jobs } = await api.jobs.list({ tenant: TENANT, limit: 100, order: 'asc' });
  return jobs
    .map(({ id, request }) => ({ id, text: JSON.stringify(request.messages) }))
    .toSorted((a, b) => a.text.localeCompare(b.text, 'en', { numeric: true }))
    .map(({ id }) => id);
}

interface Line {
  readonly custom_id: string;
  readonly response: { readonly body: { readonly choices?: unknown } } | null;
  readonly error: { readonly code: string } | null;
}

async function linesOf({ api }: Setting, fileId: string | null): Promise<Line[]> {
  if (fileId === null) return [];
  const { files } = api.services;
  const file = await files.get(TENANT, fileId);
  const text = Buffer.from(await files.read(file, { start: 0, bytes: file.bytes })).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

async function resultFiles({ api }: Setting): Promise<string[]> {
  const page = { limit: 9, order: 'asc', purpose: 'batch_output' } as const;
  const { files } = (await api.services.files.records.list(TENANT, page))!;
  return files.map(({ id }) => id);
}

const namesOf = (lines: readonly Line[]): string[] => lines.map(({ custom_id: name }) => name);

for (const [status, how] of [
  ['cancelled', 'is cancelled'],
  ['expired', 'expires'],
] as const) {
  test(`a line that was answered but not recorded yet when its batch ${how} is in the output file`, async (t) => {
    const setting = await batchOf(t, 66);
    await setting.step();
    const jobs = await jobIds(setting);
    t.is(jobs.length, 64);
    for (const id of [jobs[1]!, jobs[63]!]) await answer(setting.api.jobs, id, { pieces: ['yes'] });
    if (status === 'cancelled')
      await setting.api.services.batches.enter(setting.id, 'cancelling', 'in_progress');
    const expiresAtMs = status === 'expired' ? Date.now() : Number.POSITIVE_INFINITY;
    t.true(await setting.stepper.step({ ...(await setting.read()), expiresAtMs }));
    const batch = await setting.read();
    t.like(batch, { status, total: 66, completed: 2, failed: 64 });
    const output = await linesOf(setting, batch.outputFileId);
    t.deepEqual(namesOf(output), ['line-1', 'line-63']);
    t.like(output[0]?.response?.body, { choices: [{ message: { content: 'yes' } }] });
    const errors = await linesOf(setting, batch.errorFileId);
    t.true(errors.every(({ error }) => error?.code === `batch_${status}`));
    for (const id of jobs) t.not((await setting.api.jobs.get(id))?.ending, null);
  });
}

/** A batch whose lines have their results: its files are to be written. */
async function finalizing(t: ExecutionContext): Promise<Setting> {
  const setting = await batchOf(t, 2);
  await setting.step();
  for (const id of await jobIds(setting)) await answer(setting.api.jobs, id, { pieces: ['yes'] });
  await setting.step();
  await setting.step();
  t.is((await setting.read()).status, 'finalizing');
  return setting;
}

test('a step that two processes do at once writes one file', async (t) => {
  const setting = await finalizing(t);
  const batch = await setting.read();
  await Promise.all([setting.stepper, stepperOf(setting.api)].map((each) => each.step(batch)));
  const { outputFileId } = await setting.read();
  t.deepEqual(namesOf(await linesOf(setting, outputFileId)), ['line-0', 'line-1']);
  t.deepEqual(await resultFiles(setting), [outputFileId]);
});

test('a process that died after it had written the file leaves none behind', async (t) => {
  const setting = await finalizing(t);
  const { batches } = setting.api.services;
  batches.set = async () => Promise.reject(new Error('killed'));
  await t.throwsAsync(setting.step(), { message: 'killed' });
  Reflect.deleteProperty(batches, 'set');
  await setting.step();
  t.deepEqual(await resultFiles(setting), [(await setting.read()).outputFileId]);
});

test('a process that comes late changes nothing of a batch that is at rest', async (t) => {
  const setting = await batchOf(t, 2);
  const { batches } = setting.api.services;
  await batches.enter(setting.id, 'cancelling', 'in_progress');
  const before = await setting.read();
  await setting.step();
  const after = await setting.read();
  await batches.record(setting.id, 0, { ok: true, line: '{}' });
  await stepperOf(setting.api).step(before);
  t.deepEqual(await setting.read(), after);
  t.is((await batches.done(setting.id)).size, 0);
});

test('a batch whose input file is deleted while it runs fails, keeps its answers and leaves no job', async (t) => {
  const setting = await batchOf(t, 66);
  const { api } = setting;
  await setting.step();
  const jobs = await jobIds(setting);
  await answer(api.jobs, jobs[0]!, { pieces: ['yes'] });
  await setting.step();
  const { files } = api.services;
  await files.remove(await files.get(TENANT, setting.inputFileId));
  t.true(await stepperOf(api).step(await setting.read())); // another process: it has not read the file
  const batch = await setting.read();
  t.like(batch, { status: 'failed', total: 66, completed: 1 });
  t.is(batch.problems[0]?.code, 'input_file_gone');
  t.deepEqual(namesOf(await linesOf(setting, batch.outputFileId)), ['line-0']);
  for (const id of await jobIds(setting)) t.not((await api.jobs.get(id))?.ending, null);
});

test('a batch that is cancelled when its input file is gone leaves no job', async (t) => {
  const setting = await batchOf(t, 1);
  const { api } = setting;
  await setting.step();
  const { files, batches } = api.services;
  await files.remove(await files.get(TENANT, setting.inputFileId));
  await batches.enter(setting.id, 'cancelling', 'in_progress');
  t.true(await stepperOf(api).step(await setting.read()));
  t.is((await setting.read()).status, 'cancelled');
  const [job] = await jobIds(setting);
  t.is((await api.jobs.get(job!))?.status, 'cancelled');
});

test('a line that goes wrong unexpectedly ends as internal_error, and is logged', async (t) => {
  const setting = await batchOf(t, 1);
  const { services } = setting.api;
  const logged: unknown[] = [];
  const acceptor = { accept: () => Promise.reject(new RangeError('a defect')) };
  const lines = new BatchLineRunner({
    ...services,
    acceptor: acceptor as unknown as typeof services.acceptor,
    log: { error: (facts: unknown) => void logged.push(facts) },
  });
  const stepper = new BatchStepper({ ...services, lines });
  while (!(await stepper.step(await setting.read())));
  const { errorFileId, failed } = await setting.read();
  t.is(failed, 1);
  const [line] = await linesOf(setting, errorFileId);
  t.like(line?.response, { status_code: 500, body: { error: { code: 'internal_error' } } });
  t.is(logged.length, 1);
});

test('the results of a batch are read once by the process that works at it', async (t) => {
  const setting = await batchOf(t, 3);
  const { redis } = setting.api;
  let reads = 0;
  const hkeys = redis.hkeys.bind(redis);
  redis.hkeys = (key: string) => {
    reads += 1;
    return hkeys(key);
  };
  for (let steps = 0; steps < 4; steps++) await setting.step();
  t.is(reads, 1);
});
