import test, { type ExecutionContext } from 'ava';
import { BatchInputs } from '../../../src/core/batches/batch-inputs.ts';
import type { Batch } from '../../../src/core/batches/batch-record.ts';
import { MemoryBudget } from '../../../src/http/memory-budget.ts';
import { testApi } from '../../helpers/test-api.ts';

const LIMITS = { maxLineBytes: 10_000, maxElements: 1_000, maxDepth: 20 };

const line = (name: string, body: unknown = {}): string =>
  JSON.stringify({ custom_id: name, method: 'POST', url: '/v1/responses', body });

/** A batch of these lines, and how many bytes each read of the store was for. */
async function batchOf(t: ExecutionContext, lines: readonly string[]) {
  const { services, inputs: store } = await testApi(t);
  const file = { filename: 'a', purpose: 'batch', expiresAfterS: null, tenant: 'local' } as const;
  const bytes = Buffer.from(lines.join('\n'));
  const { id: inputFileId } = await services.files.add({ ...file, bytes });
  const batch = { id: 'a', tenant: 'local', inputFileId, endpoint: '/v1/responses' } as Batch;
  const reads: number[] = [];
  const getRange = store.getRange.bind(store);
  store.getRange = async (key, range) => {
    reads.push(range.bytes);
    return getRange(key, range);
  };
  const memory = new MemoryBudget(1_000_000);
  const inputs = new BatchInputs({ files: services.files, memory, limits: LIMITS });
  const remove = async () => services.files.remove(await services.files.get('local', inputFileId));
  return { batch, inputs, reads, memory, remove };
}

test('a file is gone through once; then each line is read by itself', async (t) => {
  const texts = ['a', 'b', 'c'].map((name) => line(name));
  const { batch, inputs, reads, memory } = await batchOf(t, texts);
  t.is(await inputs.count(batch), 3);
  t.is(reads.length, 1);
  const ids: string[] = [];
  for (const index of [2, 0]) {
    await inputs.withLine(batch, index, ({ customId }) => {
      t.is(memory.bytes, Buffer.byteLength(texts[index]!), 'counted while it is used');
      ids.push(customId);
    });
  }
  t.deepEqual(ids, ['c', 'a']);
  t.deepEqual(reads.slice(1), [Buffer.byteLength(texts[2]!), Buffer.byteLength(texts[0]!)]);
  t.is(memory.bytes, 0);
  inputs.keepOnly(new Set());
  t.is(inputs.known, 0);
});

test('lines that are too long, too deep, of too many values, or the same twice, are named', async (t) => {
  const { batch, inputs } = await batchOf(t, [
    line('a', 'x'.repeat(20_000)),
    `${'['.repeat(50)}${']'.repeat(50)}`,
    line(
      'c',
      Array.from({ length: 2_000 }, () => 0),
    ),
    line('d'),
    line('d'),
    'no json',
  ]);
  const problems = await inputs.problems(batch);
  t.deepEqual(
    problems.map((problem) => problem.line),
    [1, 2, 3, 5, 6],
  );
  t.regex(problems[0]!.message, /at most 10000 bytes/);
});

test('of a file that is gone there is no line', async (t) => {
  const { batch, inputs, remove } = await batchOf(t, [line('a')]);
  t.is(await inputs.count(batch), 1);
  await remove();
  t.is(await inputs.withLine(batch, 0, () => 'read'), null);
  inputs.keepOnly(new Set());
  t.is(await inputs.count(batch), 0);
  t.is((await inputs.problems(batch))[0]?.code, 'empty_file');
});
