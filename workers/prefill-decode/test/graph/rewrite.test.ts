import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { graphOf, NotRewritableError } from '@epd/graph';
import { Registry } from 'prom-client';
import type { EngineOptions } from '../../src/engine/index.ts';
import { halve } from '@epd/graph/variants';
import { prepareDecoder } from '../../src/graph/prepare.ts';
import { rewrite } from '../../src/graph/rewrite.ts';
import { verifyRewritten } from '../../src/graph/verify.ts';
import { addMetrics } from '../../src/metrics.ts';
import {
  capped,
  packed,
  readDecoder,
  reshapedLogits,
  rotatedBefore,
  temporaryFolder,
  windowed,
  writeDecoder,
  writeModel,
  writeWithExternalData,
  type Change,
} from '../helpers/decoders.ts';
import { generate, sampling, startEngine } from '../helpers/engine.ts';
import { MODEL_FOLDER, readGolden } from '../helpers/golden.ts';

const DECODER = join(MODEL_FOLDER, 'onnx/decoder_model_merged.onnx');
const OPTIONS = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
const { cases, embeddings } = await readGolden();

type Logger = NonNullable<EngineOptions['logger']>;

const FORMS: Record<string, Change[]> = {
  'as exported': [],
  'with packed query, key and value': [packed],
  'with rotation before the operator': [rotatedBefore],
  'with logits behind an unknown operator': [reshapedLogits],
  'with a window over the last tokens': [windowed],
};

for (const [form, changes] of Object.entries(FORMS)) {
  test(`the rewritten graph computes the original's logits: ${form}`, async (t) => {
    const path = await writeDecoder(t, ...changes);
    const prepared = await prepareDecoder(path, await temporaryFolder(t), OPTIONS);
    t.regex(prepared.note, /^rewritten; logits differ by at most [0-9.]+e-[6-9] /);
  });
}

test('a decoder with weights in a file beside it is rewritten', async (t) => {
  const folder = await temporaryFolder(t);
  const prepared = await prepareDecoder(await writeWithExternalData(t), folder, OPTIONS);
  t.regex(prepared.note, /^rewritten; /);
  t.deepEqual((await readdir(dirname(prepared.path))).toSorted(), [
    'decoder.onnx',
    'decoder.onnx_data',
  ]);
});

test('a half-precision decoder is rewritten, and answers from half-precision keys and values', async (t) => {
  const decoder = await writeDecoder(t, halve);
  const prepared = await prepareDecoder(decoder, await temporaryFolder(t), OPTIONS);
  t.regex(prepared.note, /^rewritten; /);
  for (const changes of [[halve], [halve, capped]]) {
    const engine = await startEngine(t, { decoder: await writeDecoder(t, ...changes), embeddings });
    const finished = await Promise.all(
      cases.map(({ name, tokens, features }) =>
        generate(engine, { id: name, tokens, features, sampling: sampling() }),
      ),
    );
    const same = finished.filter(({ choices }, at) =>
      isDeepStrictEqual(choices[0]?.tokenIds, cases[at]?.expected),
    );
    t.true(
      same.length >= 38,
      `${same.length} of ${cases.length} answers are those of full precision`,
    );
  }
});

test('the rewritten graph returns new slices and reads no mask', async (t) => {
  const model = await readDecoder();
  rewrite(model);
  const { input, output } = graphOf(model);
  t.deepEqual(
    input.map(({ name }) => name).filter((name) => !name?.startsWith('past_key_values')),
    ['inputs_embeds', 'position_ids', 'past_lengths', 'logit_positions'],
  );
  t.deepEqual(
    output.slice(0, 3).map(({ name }) => name),
    ['logits', 'new.0.key', 'new.0.value'],
  );
});

test('a graph that computes something else is not used', async (t) => {
  const model = await readDecoder();
  rewrite(model);
  const scored = graphOf(model).node.find(({ output }) => output?.includes('epd.3.past.scores'));
  const scale = scored?.attribute?.find(({ name }) => name === 'alpha');
  if (scale) scale.f = 0.1;
  const wrong = await writeModel(t, model);
  await t.throwsAsync(verifyRewritten(DECODER, wrong, OPTIONS), { instanceOf: NotRewritableError });
});

test('a graph that the runtime refuses is not used', async (t) => {
  const model = await readDecoder();
  rewrite(model);
  graphOf(model).node.shift();
  const broken = await writeModel(t, model);
  await t.throwsAsync(verifyRewritten(DECODER, broken, OPTIONS), {
    instanceOf: NotRewritableError,
  });
});

test('a graph is rewritten once', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await prepareDecoder(DECODER, folder, OPTIONS);
  const again = await prepareDecoder(DECODER, folder, OPTIONS);
  t.is(again.path, first.path);
  t.is(again.note, 'rewritten earlier');
  t.is((await readdir(join(folder, 'decoders'))).length, 1);
});

test('processes that rewrite at once end with one graph', async (t) => {
  const folder = await temporaryFolder(t);
  const made = await Promise.all([0, 1, 2].map(() => prepareDecoder(DECODER, folder, OPTIONS)));
  t.is(new Set(made.map(({ path }) => path)).size, 1);
  t.is((await readdir(join(folder, 'decoders'))).length, 1);
});

test('a form that is not known runs as exported, with the same tokens, and log and metric tell it', async (t) => {
  const decoder = await writeDecoder(t, capped);
  const prepared = await prepareDecoder(decoder, await temporaryFolder(t), OPTIONS);
  t.deepEqual(prepared, {
    path: decoder,
    groupsQueries: true,
    note: 'run as exported: GroupQueryAttention with a soft cap',
    rewritten: false,
  });
  const warnings: unknown[][] = [];
  const [silent, warn] = [() => {}, (...line: unknown[]) => void warnings.push(line)];
  const logger = { debug: silent, info: silent, warn, error: silent } as Logger;
  const engine = await startEngine(t, {
    decoder,
    embeddings,
    tokenBudgetPerStep: 48,
    logger,
  });
  t.is(warnings.length, 1);
  t.like(warnings[0], {
    0: { preparation: prepared.note },
    1: 'decoder graph was not rewritten; it runs as exported, which is slower',
  });
  const registry = new Registry();
  addMetrics(registry, engine);
  t.regex(await registry.metrics(), /^epd_decoder_graph_rewritten 0$/m);
  const finished = await Promise.all(
    cases.map(({ name, tokens, features }) =>
      generate(engine, { id: name, tokens, features, sampling: sampling() }),
    ),
  );
  t.deepEqual(
    finished.map(({ choices }) => choices[0]?.tokenIds),
    cases.map(({ expected }) => expected),
  );
});

test('a plain export is left alone', async (t) => {
  const path = join(MODEL_FOLDER, 'onnx/decoder_model_merged_eager.onnx');
  t.like(await prepareDecoder(path, await temporaryFolder(t), OPTIONS), {
    path,
    groupsQueries: false,
  });
});
