import { imageLayout } from '@epd/model/geometry';
import test from 'ava';
import { answer, answers, engineOf } from '../helpers/miniature-engine.ts';
import { farthest, Miniature, type Golden } from '../helpers/miniature.ts';

/** Pixels are rounded to six places in the file; features are sums made in another order. */
const PIXEL_TOLERANCE = 2e-6;
const FEATURE_TOLERANCE = 1e-4;

/** Of one token, smaller than a row of an image's blocks, and of no size that divides one. */
const CHUNKS = [1, 2, 3, 7];

const FAMILIES = [
  'qwen2_vl',
  'qwen2_5_vl',
  'qwen3_vl',
  'glm_ocr',
  'gemma3',
  'llava',
  'llava_qwen2',
  'llava_onevision',
  'paligemma',
];
/** Their decoders differ from those of the others in weights alone. */
const ALIKE = new Set(['qwen2_vl', 'llava_qwen2', 'llava_onevision', 'paligemma']);

type Case = Golden['cases'][number];

const unrolled = (runs: Case['prompt']): number[] =>
  runs.flatMap(([id, count]) => Array.from({ length: count }, () => id));

for (const name of FAMILIES) {
  test(`${name}: sizes, prompts and positions are PyTorch's`, async (t) => {
    const miniature = await Miniature.open(name);
    const { golden, prompts } = miniature;
    for (const [width, height, tokens] of golden.sizes ?? []) {
      t.is(imageLayout(prompts.geometry, width, height).tokens, tokens, `${width}x${height}`);
    }
    t.is(golden.cases.length, 40);
    for (const asked of golden.cases) {
      const { tokens, positions } = miniature.prompt(asked);
      t.deepEqual(tokens, unrolled(asked.prompt));
      t.deepEqual(positions ? [...positions.rows] : undefined, asked.positions?.flat());
      t.is(positions?.delta, asked.delta);
    }
  });

  test(`${name}: pixels and features are PyTorch's`, async (t) => {
    const miniature = await Miniature.open(name);
    for (const { image, pixels, features } of miniature.golden.features) {
      t.true(farthest(pixels, (await miniature.item(image)).data) <= PIXEL_TOLERANCE);
      const { data } = await miniature.embedding(image);
      const found = new Float32Array(data.buffer);
      t.true(farthest(features, found) <= FEATURE_TOLERANCE);
    }
  });

  test(`${name}: answers are PyTorch's, in batches, from cached prefixes, and resumed`, async (t) => {
    const miniature = await Miniature.open(name);
    const { cases } = miniature.golden;
    const expected = cases.map(({ tokens }) => tokens);
    const engine = await engineOf(t, miniature, { tokenBudgetPerStep: 40 });
    t.deepEqual(await answers(engine, miniature), expected);
    const again = await Promise.all(cases.map((asked) => answer(engine, miniature, asked)));
    t.deepEqual(
      again.map(({ ids }) => ids),
      expected,
    );
    t.true(again.some(({ cached }) => cached > 0));
    const resumed = await Promise.all(
      cases.map((asked) => answer(engine, miniature, asked, asked.tokens.slice(0, 5))),
    );
    t.deepEqual(
      resumed.map(({ ids }) => ids),
      expected,
    );
  });

  for (const chunk of ALIKE.has(name) ? CHUNKS.slice(0, 1) : CHUNKS) {
    test(`${name}: answers are PyTorch's with prompts in chunks of ${chunk}`, async (t) => {
      const miniature = await Miniature.open(name);
      const cases = miniature.golden.cases.filter(({ images }) => images.length > 1);
      const engine = await engineOf(t, miniature, { maxBatch: 1, tokenBudgetPerStep: chunk });
      t.deepEqual(
        await answers(engine, miniature, cases),
        cases.map(({ tokens }) => tokens),
      );
    });
  }
}
