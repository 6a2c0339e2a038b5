import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { graphOf, readModel } from '@epd/graph';
import type { EngineOptions } from '../../src/engine/index.ts';
import { capped, writeModel } from '../helpers/decoders.ts';
import { ANSWER_TOKENS, agreeing, answers, engineOf } from '../helpers/miniature-engine.ts';
import { Miniature } from '../helpers/miniature.ts';

/**
 * Of 40. Values of 16 bits, and activations of 8, round logits to ties, which sums made in another order break
 * otherwise, so that processors differ. A wrong graph agrees in none.
 */
const MOST = 24;
/** Batches of eight, in which prompts are computed in pieces beside answers. */
const IN_CHUNKS = { maxBatch: 8, tokenBudgetPerStep: 40 };
const FUSED = ['llava', 'qwen2_5_vl', 'qwen3_vl', 'gemma3'];
/** Of which there is a fused decoder and no other. */
const FUSED_ALONE = ['qwen2_vl', 'glm_ocr', 'llava_qwen2', 'llava_onevision', 'paligemma'];

const variant = (miniature: Miniature, file: string): string =>
  join(miniature.folder, '../variants', miniature.name, file);

/** Answers one at a time with whole prompts, and together with prompts in chunks. */
async function bothWays(
  t: ExecutionContext,
  miniature: Miniature,
  options: Partial<EngineOptions>,
) {
  const one = await engineOf(t, miniature, { ...options, maxBatch: 1, tokenBudgetPerStep: 2048 });
  const alone = await answers(one, miniature);
  const many = await engineOf(t, miniature, { ...options, ...IN_CHUNKS });
  const together = await answers(many, miniature);
  const golden = miniature.golden.cases.map(({ tokens }) => tokens);
  t.is(golden.length, 40);
  t.log(
    `as in fp32: ${agreeing(alone, golden)} of 40; in batches as alone: ${agreeing(together, alone)}`,
  );
  return { alone, together, golden };
}

test('a decoder in fp16 with caches of 16 bits answers as in fp32 mostly, alone and in batches', async (t) => {
  const miniature = await Miniature.open('llava');
  const decoder = variant(miniature, 'decoder_model_merged_fp16.onnx');
  const { alone, together, golden } = await bothWays(t, miniature, { decoder });
  t.true(agreeing(alone, golden) >= MOST, `${agreeing(alone, golden)}`);
  t.true(agreeing(together, alone) >= MOST, `${agreeing(together, alone)}`);
});

test('a decoder of 4-bit weights answers in batches as alone, but for ties', async (t) => {
  const miniature = await Miniature.open('llava');
  const decoder = variant(miniature, 'decoder_model_merged_q4.onnx');
  const { alone, together } = await bothWays(t, miniature, { decoder, embedTokens: 'q4' });
  t.true(agreeing(together, alone) >= MOST, `${agreeing(together, alone)}`);
});

test('a decoder that quantizes activations as they come is loaded and answers', async (t) => {
  const miniature = await Miniature.open('llava');
  const decoder = variant(miniature, 'decoder_model_merged_q8.onnx');
  const { alone, together } = await bothWays(t, miniature, { decoder });
  for (const ids of [...alone, ...together]) t.is(ids.length, ANSWER_TOKENS);
});

/** The same graph in a form that the rewriting pass does not know, so that it runs as exported. */
async function asExported(t: ExecutionContext, path: string): Promise<string> {
  const model = await readModel(path);
  capped(graphOf(model));
  return writeModel(t, model);
}

for (const name of FUSED_ALONE) {
  test(`${name}: a fused decoder is rewritten, with PyTorch's tokens`, async (t) => {
    const miniature = await Miniature.open(name);
    const decoder = variant(miniature, 'decoder_model_merged_gqa.onnx');
    const engine = await engineOf(t, miniature, { decoder, ...IN_CHUNKS });
    t.true(engine.stats().graphRewritten);
    const golden = miniature.golden.cases.map(({ tokens }) => tokens);
    t.deepEqual(await answers(engine, miniature), golden);
  });
}

for (const name of FUSED) {
  test(`${name}: a fused decoder is rewritten, and runs as exported too, with PyTorch's tokens`, async (t) => {
    const miniature = await Miniature.open(name);
    const golden = miniature.golden.cases.map(({ tokens }) => tokens);
    const decoder = variant(miniature, 'decoder_model_merged_gqa.onnx');
    const rewritten = await engineOf(t, miniature, { decoder, ...IN_CHUNKS });
    t.true(rewritten.stats().graphRewritten);
    t.deepEqual(await answers(rewritten, miniature), golden);
    const path = await asExported(t, decoder);
    const exported = await engineOf(t, miniature, { decoder: path, ...IN_CHUNKS });
    t.false(exported.stats().graphRewritten);
    t.deepEqual(await answers(exported, miniature), golden);
  });

  test(`${name}: a fused decoder in fp16 is rewritten, and answers as in fp32 mostly`, async (t) => {
    const miniature = await Miniature.open(name);
    const golden = miniature.golden.cases.map(({ tokens }) => tokens);
    const decoder = variant(miniature, 'decoder_model_merged_gqa_fp16.onnx');
    const engine = await engineOf(t, miniature, { decoder, ...IN_CHUNKS });
    t.true(engine.stats().graphRewritten);
    const same = agreeing(await answers(engine, miniature), golden);
    t.log(`as in fp32: ${same} of 40`);
    t.true(same >= MOST, `${same}`);
  });

  test(`${name}: a fused decoder of 4-bit weights is rewritten, and gives the tokens of its graph alone`, async (t) => {
    const miniature = await Miniature.open(name);
    const decoder = variant(miniature, 'decoder_model_merged_gqa_q4.onnx');
    const own = JSON.parse(await readFile(variant(miniature, 'golden_q4.json'), 'utf8')) as unknown;
    const engine = await engineOf(t, miniature, { decoder, ...IN_CHUNKS });
    t.true(engine.stats().graphRewritten);
    t.deepEqual(await answers(engine, miniature), own);
  });
}

test('a decoder whose tokens attend to later ones is refused at load, with both numbers', async (t) => {
  const miniature = await Miniature.open('llava');
  const model = await readModel(join(miniature.folder, 'onnx/decoder_model_merged.onnx'));
  const closed = graphOf(model).node.flatMap(({ attribute }) =>
    (attribute ?? []).flatMap(({ t: tensor }) => (isClosed(tensor?.rawData) ? [tensor!] : [])),
  );
  t.true(closed.length > 0);
  for (const tensor of closed) tensor.rawData = new Uint8Array(4);
  const decoder = await writeModel(t, model);
  await t.throwsAsync(engineOf(t, miniature, { decoder }), {
    message: /in one piece and in several differ by \d\.\d+ of the largest; at most 0\.1/,
  });
});

/** What masked scores are set to. */
const isClosed = (bytes: Uint8Array | null | undefined): boolean =>
  bytes?.byteLength === 4 &&
  new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true) === -1e9;
