import type { Embedding } from '@epd/connector';
import test from 'ava';
import { generate, sampling, startEngine } from '../helpers/engine.ts';
import { readGolden } from '../helpers/golden.ts';

const { cases, embeddings } = await readGolden();
const pictured = cases.find(({ features }) => features.length === 1);
const other = cases.find(({ features }) => features.length === 0) ?? cases[1];
if (!pictured || !other) throw new Error('The golden cases have changed');

/** As an encoder that overflows would make it. */
const overflown = ({ rows, width }: Embedding): Embedding => ({
  rows,
  width,
  dtype: 'F32',
  data: new Uint8Array(new Float32Array(rows * width).fill(Number.NaN).buffer),
});

test('a request whose numbers overflow fails by itself, and leaves nothing behind for others', async (t) => {
  const mmHash = pictured.features[0]!.mmHash;
  const broken = new Map([[mmHash, overflown(embeddings.get(mmHash)!)]]);
  const engine = await startEngine(t, {
    embeddings: new Map([...embeddings, ...broken]),
    maxBatch: 1,
    tokenBudgetPerStep: 32,
  });
  const asked = { ...pictured, sampling: sampling() };
  await t.throwsAsync(generate(engine, asked), { message: /^not_finite: / });
  await t.throwsAsync(generate(engine, asked), { message: /^not_finite: / });
  const { choices } = await generate(engine, { ...other, sampling: sampling() });
  t.deepEqual(choices[0]?.tokenIds, other.expected);
});
