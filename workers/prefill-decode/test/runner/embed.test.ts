import { join } from 'node:path';
import test from 'ava';
import { InferenceSession } from 'onnxruntime-node';
import { SessionEmbedder, readTable, writeImages } from '../../src/runner/embed.ts';
import type { SharedEmbedding } from '../../src/runner/messages.ts';
import { MODEL_FOLDER } from '../helpers/golden.ts';

const EMBED_TOKENS = join(MODEL_FOLDER, 'onnx/embed_tokens.onnx');
const WIDTH = 192;

test('the table that is read from the graph gives what the graph gives', async (t) => {
  const table = await readTable(EMBED_TOKENS);
  const session = await InferenceSession.create(EMBED_TOKENS);
  const tokens = [5, 0, 2047, 4];
  const fromTable = new Float32Array(5 * WIDTH);
  const fromGraph = new Float32Array(5 * WIDTH);
  await table?.write(tokens, fromTable, WIDTH);
  await new SessionEmbedder(session).write(tokens, fromGraph, WIDTH);
  t.deepEqual(fromTable, fromGraph);
  t.true(fromTable.some((value) => value !== 0));
  await session.release();
});

test('a graph that is no plain lookup has no table', async (t) => {
  t.is(await readTable(join(MODEL_FOLDER, 'onnx/decoder_model_merged.onnx')), null);
});

const VALUES = [1, -2, 0.5, 3, 4, -8];

function shared(dtype: SharedEmbedding['dtype'], bytes: ArrayBuffer): SharedEmbedding {
  const data = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  data.set(new Uint8Array(bytes));
  return { mmHash: 'a', rows: 3, width: 2, dtype, data };
}

const STORED = {
  F32: Float32Array.from(VALUES).buffer,
  F16: Float16Array.from(VALUES).buffer,
  BF16: Uint16Array.from(new Uint32Array(Float32Array.from(VALUES).buffer), (bits) => bits >>> 16)
    .buffer,
} as const;

for (const dtype of ['F32', 'F16', 'BF16'] as const) {
  test(`rows of a ${dtype} embedding replace those of placeholder tokens`, (t) => {
    const into = new Float32Array(8).fill(9);
    const row = {
      sequence: 0,
      tokens: [1, 4, 4],
      positions: null,
      past: 0,
      images: [{ mmHash: 'a', from: 1, at: 1, count: 2 }],
      drafts: [],
      sample: false,
    };
    writeImages(row, new Map([['a', shared(dtype, STORED[dtype])]]), { width: 2, into, offset: 2 });
    t.deepEqual([...into], [9, 9, 9, 9, 0.5, 3, 4, -8]);
  });
}
