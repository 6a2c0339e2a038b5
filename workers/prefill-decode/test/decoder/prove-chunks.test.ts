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
