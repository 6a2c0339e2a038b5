import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AutoImageProcessor,
  AutoModelForImageTextToText,
  RawImage,
  Tensor,
  env,
} from '@huggingface/transformers';
import test from 'ava';
import { drawn } from '../../../test/helpers/drawn.ts';

/*
 * The folders that workers serve load in transformers.js, and give there the tokens that PyTorch gives: they are in
 * the layout that the Hub's exports have. Where the library differs from PyTorch, PyTorch is right and workers follow
 * it, so these cases are left out:
 * - several pictures for the Qwen line and GLM-OCR: the library's cannot stack grids of unequal size;
 * - text without a picture there: the library's decoding positions are off (it adds the length that is to be taken off);
 * - Qwen3-VL: it has no path for DeepStack, which the graph demands.
 */
const MINIATURES = join(import.meta.dirname, '../../../models/miniatures');
const ANY = ['gemma3', 'llava', 'llava_qwen2', 'llava_onevision', 'paligemma'];
const ONE_PICTURE = ['qwen2_vl', 'qwen2_5_vl', 'glm_ocr'];
/** No token has it: the answer ends by its length alone. */
const NO_TOKEN = -1;

type Picture = readonly [width: number, height: number, seed: number];
interface Case {
  readonly images: readonly Picture[];
  readonly prompt: readonly (readonly [id: number, count: number])[];
  readonly tokens: readonly number[];
}

env.allowRemoteModels = false;
env.localModelPath = `${MINIATURES}/`;

const casesOf = (name: string): readonly Case[] =>
  (
    JSON.parse(readFileSync(join(MINIATURES, name, 'golden.json'), 'utf8')) as {
      cases: readonly Case[];
    }
  ).cases;

const imageOf = ([width, height, seed]: Picture): RawImage =>
  new RawImage(drawn(width, height, seed), width, height, 3);

const row = (values: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);

async function library(name: string): Promise<(asked: Case) => Promise<number[]>> {
  const model = await AutoModelForImageTextToText.from_pretrained(name, {
    device: 'cpu',
    dtype: 'fp32',
    session_options: { intraOpNumThreads: 1, logSeverityLevel: 3 },
  });
  const processor = await AutoImageProcessor.from_pretrained(name);
  return async ({ images, prompt, tokens }) => {
    const ids = prompt.flatMap(([id, count]) => Array.from({ length: count }, () => id));
    const options = {
      input_ids: row(ids),
      attention_mask: row(ids.map(() => 1)),
      ...(images.length === 0 ? {} : ((await processor(images.map(imageOf))) as object)),
      do_sample: false,
      max_new_tokens: tokens.length,
      eos_token_id: [NO_TOKEN],
    };
    const out = (await model.generate(options)) as Tensor;
    return Array.from(out.data as BigInt64Array, Number).slice(ids.length);
  };
}

for (const name of [...ANY, ...ONE_PICTURE]) {
  test.serial(`${name}: transformers.js gives PyTorch's tokens`, async (t) => {
    const cases = casesOf(name).filter(({ images }) => ANY.includes(name) || images.length === 1);
    t.true(cases.length >= 20);
    const answer = await library(name);
    for (const asked of cases) t.deepEqual(await answer(asked), asked.tokens);
  });
}
