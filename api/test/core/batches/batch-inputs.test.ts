import test, { type ExecutionContext } from 'ava';
import { BatchInputs } from '../../../src/core/batches/batch-inputs.ts';
import type { Batch } from '../../../src/core/batches/batch-record.ts';
import { testApi } from '../../helpers/test-api.ts';

const line = (name: string): string =>
  JSON.stringify({ custom_id: name, method: 'POST', url: '/v1/responses', body: {} });

/** Batches of a line each, and how often the inputs of each have been read from the store. */
async function batchesOf(t: ExecutionContext, names: readonly string[]) {
  const { services, inputs: store } = await testApi(t);
  const bytes = Buffer.byteLength(line(names[0] ?? ''));
  const batches = await Promise.all(
    names.map(async (name) => {
      const file = { filename: name, purpose: 'batch', expiresAfterS: null } as const;
      const given = { ...file, tenant: 'local', bytes: Buffer.from(line(name)) };
      const { id: inputFileId } = await services.files.add(given);
      return { id: name, tenant: 'local', inputFileId, endpoint: '/v1/responses' } as Batch;
    }),
  );
  const reads: string[] = [];
  const get = store.get.bind(store);
  store.get = async (key, options) => {
    reads.push(batches.find(({ inputFileId }) => key.endsWith(inputFileId))?.id ?? key);
    return get(key, options);
  };
  return { files: services.files, batches, bytes, reads };
}

test('inputs stay in memory up to a bound; what is above it is read anew each time', async (t) => {
  const { files, batches, bytes, reads } = await batchesOf(t, ['a', 'b', 'c']);
  const inputs = new BatchInputs(files, 2 * bytes);
  for (let step = 0; step < 3; step++) {
    for (const batch of batches) {
      t.deepEqual(
        (await inputs.of(batch)).lines.map(({ customId }) => customId),
        [batch.id],
      );
    }
  }
  t.deepEqual(reads, ['a', 'b', 'c', 'c', 'c']);
  t.is(inputs.keptBytes, 2 * bytes);
});

test('of a batch that is no longer worked at nothing is kept, and another takes its place', async (t) => {
  const { files, batches, bytes, reads } = await batchesOf(t, ['a', 'b']);
  const inputs = new BatchInputs(files, bytes);
  for (const batch of batches) await inputs.of(batch);
  inputs.keepOnly(new Set(['b']));
  t.is(inputs.keptBytes, 0);
  for (const _ of [1, 2]) await inputs.of(batches[1]!);
  t.deepEqual(reads, ['a', 'b', 'b']);
});
