import test from 'ava';
import type { DecoderFacts, ForwardRun } from '../../src/decoder/decoder-graph.ts';
import type { KVBackend } from '../../src/decoder/kv-backend.ts';
import { proveChunks } from '../../src/decoder/prove-chunks.ts';

const FACTS: DecoderFacts = {
  kind: 'concatenating',
  kv: [],
  hiddenSize: 2,
  embedsType: 'float32',
  positionAxes: 1,
  deepstack: null,
  options: [],
};

/** Logits from the sum of all embeddings seen, as a causal decoder's last ones may be; `fault` spoils them. */
function backend(
  fault: (run: ForwardRun, logit: number) => number = (_, logit) => logit,
): KVBackend {
  let sum = 0;
  return {
    abilities: { restoresPrefixes: true, layoutShare: 0 },
    overflown: new Set(),
    layout: async () => undefined,
    swap: async () => undefined,
    save: async () => undefined,
    restore: async () => undefined,
    drop: async () => undefined,
    forward: async (run) => {
      if (run.past[0] === 0) sum = 0;
      for (const value of run.embeds as Float32Array) sum += value;
      return Float32Array.of(1, fault(run, sum));
    },
  };
}

test('a decoder that answers the same whole and in chunks passes', async (t) => {
  t.true((await proveChunks(backend(), FACTS)) < 1e-5);
});

test('a decoder whose tokens see later ones is refused with both numbers', async (t) => {
  const twoWay = backend((run, logit) => logit + run.width);
  await t.throwsAsync(proveChunks(twoWay, FACTS), {
    name: 'ChunksDifferError',
    message: /differ by \d\.\d{3} of the largest; at most 0\.1 was expected/,
  });
});

test('the prompt holds an image: its positions are a grid, it alone has rows for deeper layers, and chunks cut it', async (t) => {
  const runs: ForwardRun[] = [];
  const seen = backend((run, logit) => {
    runs.push(run);
    return logit;
  });
  const deepstack = { names: ['deepstack'], levels: 2, type: 'float32' } as const;
  await proveChunks(seen, { ...FACTS, positionAxes: 3, deepstack });
  const [whole, ...chunks] = runs.map(({ width, positions, deepstack: deep }) => ({
    positions: axesOf(positions[0]!, width),
    rows: rowsOf(deep as Float32Array, width),
  }));
  const after = Array.from({ length: 10 }, (_, at) => 10 + at);
  t.deepEqual(whole!.positions, [
    [0, 1, 2, 3, 4, 5, ...image(() => 0), ...after],
    [0, 1, 2, 3, 4, 5, ...image((at) => Math.floor(at / 4)), ...after],
    [0, 1, 2, 3, 4, 5, ...image((at) => at % 4), ...after],
  ]);
  for (const level of whole!.rows) {
    t.deepEqual(
      level.map((row) => row.some((value) => value !== 0)),
      Array.from({ length: 24 }, (_, token) => token >= 6 && token < 14),
    );
  }
  t.is(chunks.length, 3);
  for (const axis of [0, 1, 2])
    t.deepEqual(
      chunks.flatMap(({ positions }) => positions[axis]!),
      whole!.positions[axis],
    );
  for (const level of [0, 1])
    t.deepEqual(
      chunks.flatMap(({ rows }) => rows[level]!),
      whole!.rows[level],
    );
});

/** Positions of the image on one axis. */
const image = (axis: (at: number) => number): number[] =>
  Array.from({ length: 8 }, (_, at) => 6 + axis(at));

const axesOf = (positions: Int32Array, width: number): number[][] =>
  [0, 1, 2].map((axis) => Array.from(positions.subarray(axis * width, (axis + 1) * width)));

/** By level and token. */
const rowsOf = (values: Float32Array, width: number): number[][][] =>
  [0, 1].map((level) =>
    Array.from({ length: width }, (_, token) => {
      const start = (level * width + token) * FACTS.hiddenSize;
      return [...values.subarray(start, start + FACTS.hiddenSize)];
    }),
  );
