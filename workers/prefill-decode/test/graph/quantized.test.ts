import test from 'ava';
import { graphOf, readModel } from '@epd/graph';
import { quantizeToEight, quantizeToFour } from '@epd/graph/variants';
import { prepareDecoder } from '../../src/graph/prepare.ts';
import { temporaryFolder, writeDecoder, type Change } from '../helpers/decoders.ts';
import { generate, sampling, startEngine } from '../helpers/engine.ts';
import { readGolden } from '../helpers/golden.ts';

const OPTIONS = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
const { cases, embeddings } = await readGolden();

const LAYERS = 6;

async function products(path: string): Promise<number> {
  const { node } = graphOf(await readModel(path));
  return node.filter(({ opType }) => opType === 'MatMulNBits').length;
}

const VARIANTS: Readonly<Record<string, { readonly change: Change; readonly same: number }>> = {
  'eight bits, scaled dynamically': { change: quantizeToEight, same: 30 },
  'four bits': { change: quantizeToFour, same: 10 },
};

for (const [title, { change, same }] of Object.entries(VARIANTS)) {
  test(`${title}: rewritten, and a row does not depend on its neighbours`, async (t) => {
    const decoder = await writeDecoder(t, change);
    const prepared = await prepareDecoder(decoder, await temporaryFolder(t), OPTIONS);
    t.regex(prepared.note, /^rewritten; logits differ by at most [0-9.]+e-[6-9] /);
    t.is(await products(prepared.path), 4 * LAYERS + 1, 'joined, and the head');
    const answers = async (maxBatch: number): Promise<(readonly number[])[]> => {
      const engine = await startEngine(t, { decoder, embeddings, maxBatch });
      const finished = await Promise.all(
        cases.map(({ tokens, features }) =>
          generate(engine, { tokens, features, sampling: sampling() }),
        ),
      );
      return finished.map(({ choices }) => choices[0]?.tokenIds ?? []);
    };
    const alone = await answers(1);
    t.deepEqual(await answers(8), alone);
    const full = alone.filter((ids, at) => ids.join() === cases[at]?.expected.join());
    t.true(full.length >= same, `${full.length} answers are those of full precision`);
  });
}
