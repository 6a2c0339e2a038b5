import test from 'ava';
import type { DecoderFacts } from '../../src/decoder/decoder-graph.ts';
import type { KVBackend } from '../../src/decoder/kv-backend.ts';
import { ModelRunner } from '../../src/runner/model-runner.ts';
import { sampling } from '../helpers/engine.ts';

const opened = (sequence: number) => ({
  sequence,
  choice: 0,
  sampling: sampling(),
  prompt: [0],
  endIds: [],
  generated: [],
});
const row = (sequence: number) =>
  ({
    sequence,
    tokens: [0],
    past: 0,
    positions: null,
    images: [],
    drafts: [],
    sample: true,
  }) as const;

test('a constraint that cannot be opened fails its sequence alone, and skips no change of the cache', async (t) => {
  const changes: string[] = [];
  const backend = {
    layout: async () => void changes.push('layout'),
    drop: async () => void changes.push('drop'),
    overflown: new Set(),
    forward: async () => Float32Array.of(1, 3, 2, 1, 3, 2),
  } as unknown as KVBackend;
  const facts = {
    hiddenSize: 1,
    embedsType: 'float32',
    deepstack: null,
  } as unknown as DecoderFacts;
  const runner = new ModelRunner(facts, backend, { write: async () => {} }, ({ sequence }) => {
    if (sequence === 1) throw new RangeError('Array buffer allocation failed');
    return null;
  });
  const { samples, failures } = await runner.step({
    operations: [
      { op: 'layout', slots: 2, length: 8, lengths: [] },
      { op: 'drop', blocks: [] },
    ],
    open: [opened(1), opened(2)],
    close: [],
    runs: [{ slot: 0, rows: [row(1), row(2)] }],
  });
  t.deepEqual(changes, ['layout', 'drop']);
  t.deepEqual(samples, [{ sequence: 2, id: 1 }]);
  t.like(failures, [{ sequence: 1, code: 'constraint_failed' }]);
});
