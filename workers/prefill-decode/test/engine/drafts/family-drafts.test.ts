import { join } from 'node:path';
import { graphOf, readModel } from '@epd/graph';
import type { Sampling } from '@epd/jobs';
import test from 'ava';
import { capped, writeModel } from '../../helpers/decoders.ts';
import { generate } from '../../helpers/engine.ts';
import { engineOf, requestOf } from '../../helpers/miniature-engine.ts';
import { Miniature } from '../../helpers/miniature.ts';

/** Answers of few words repeat themselves; log probabilities are those of all words. */
const FEW_WORDS: Partial<Sampling> = {
  maxTokens: 60,
  topLogprobs: 2,
  logitBias: [30, 31, 32, 33].map((id) => [id, 50]),
};
const CASES = 3;
const TOLERANCE = 1e-3;

/** Positions in a grid, deepstack features, windows; graphs as exported and rewritten. */
const DECODERS = [
  ['qwen2_5_vl', 'rewritten'],
  ['qwen3_vl', 'plain'],
  ['gemma3', 'rewritten'],
  ['gemma3', 'grouped'],
] as const;

for (const [name, kind] of DECODERS) {
  test(`answers are the same with drafts: ${name}, ${kind}`, async (t) => {
    const miniature = await Miniature.open(name);
    const fused = join(miniature.folder, '../variants', name, 'decoder_model_merged_gqa.onnx');
    const grouped = async (): Promise<string> => {
      const model = await readModel(fused);
      capped(graphOf(model));
      return writeModel(t, model);
    };
    const decoder = { plain: () => 'auto', rewritten: () => fused, grouped }[kind];
    const options = { decoder: await decoder(), maxBatch: 1 };
    const plain = await engineOf(t, miniature, options);
    const drafting = await engineOf(t, miniature, { ...options, draftTokens: 8 });
    t.is(drafting.stats().graphRewritten, kind === 'rewritten');
    for (const asked of miniature.golden.cases.slice(0, CASES)) {
      const request = requestOf(miniature, asked, FEW_WORDS);
      const expected = (await generate(plain, request)).choices[0]!.logprobs!;
      const found = (await generate(drafting, request)).choices[0]!.logprobs!;
      t.deepEqual(
        found.map(({ id }) => id),
        expected.map(({ id }) => id),
      );
      const differences = found.map(({ logprob }, at) => logprob - expected[at]!.logprob);
      t.true(differences.every((difference) => Math.abs(difference) < TOLERANCE));
    }
    const { computed, kept } = drafting.stats().drafts;
    t.log({ computed, kept });
    t.true(kept > 0 && kept < computed);
  });
}
