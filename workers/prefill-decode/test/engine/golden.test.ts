import test from 'ava';
import { generate, sampling, startEngine } from '../helpers/engine.ts';
import { readGolden } from '../helpers/golden.ts';

const { cases, embeddings } = await readGolden();

for (const decoder of ['decoder_model_merged.onnx', 'decoder_model_merged_eager.onnx']) {
  test(`${decoder} gives the reference's tokens one request at a time`, async (t) => {
    const engine = await startEngine(t, { decoder, embeddings });
    for (const { name, tokens, features, expected } of cases) {
      const { choices } = await generate(engine, {
        id: name,
        tokens,
        features,
        sampling: sampling(),
      });
      t.deepEqual(choices[0]?.tokenIds, expected, name);
      t.is(choices[0]?.finishReason, 'stop');
    }
  });

  test(`${decoder} gives the reference's tokens in a batch of eight`, async (t) => {
    const engine = await startEngine(t, { decoder, embeddings });
    const finished = await Promise.all(
      cases.map(({ name, tokens, features }) =>
        generate(engine, { id: name, tokens, features, sampling: sampling() }),
      ),
    );
    for (const [index, { choices }] of finished.entries()) {
      t.deepEqual(choices[0]?.tokenIds, cases[index]?.expected, `case ${index}`);
    }
  });
}
