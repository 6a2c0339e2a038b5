import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createEngine, LocalConnector, type Engine } from '../../src/engine/index.ts';
import { engineOptions, generate, sampling, startEngine } from '../helpers/engine.ts';
import { ask, readGolden, type GoldenCase } from '../helpers/golden.ts';
import { pick, randomFrom } from '../helpers/random.ts';

const { cases, prompts, embeddings } = await readGolden();
const BYTES_PER_TOKEN = 3072;

type Prompt = Pick<GoldenCase, 'name' | 'tokens' | 'features' | 'expected'>;

/** Golden cases, and conversations that outgrow the shortest slots, with what they give when alone. */
async function everything(): Promise<Prompt[]> {
  const alone = await createEngine(engineOptions({ embeddings, maxBatch: 1 }));
  const random = randomFrom(5);
  const longer = Array.from({ length: 10 }, (_, index) => {
    const turns = Array.from({ length: 2 + Math.floor(random() * 6) }, () => pick(random, cases));
    return { name: `conversation ${index}`, ...ask(prompts, pick(random, cases), turns) };
  });
  const conversations: Prompt[] = [];
  for (const { name, tokens, features } of longer) {
    const { choices } = await generate(alone, { id: name, tokens, features, sampling: sampling() });
    conversations.push({ name, tokens, features, expected: choices[0]?.tokenIds ?? [] });
  }
  await alone.close();
  return [...cases, ...conversations];
}

const prepared = everything();

/** Sends everything in random order at random times, takes some of it back, and looks at the rest. */
async function storm(
  t: ExecutionContext,
  engine: Engine,
  connector: LocalConnector,
  seed: number,
  all: readonly Prompt[],
): Promise<void> {
  const random = randomFrom(seed);
  const shuffled = all.toSorted(() => random() - 0.5);
  const ends = shuffled.map(async ({ name, tokens, features, expected }) => {
    await sleep(random() * 300);
    const end = generate(engine, { id: name, tokens, features, sampling: sampling() });
    if (random() < 0.15) {
      await sleep(random() * 30);
      engine.abort(name);
      return;
    }
    const { choices } = await end;
    t.deepEqual(choices[0]?.tokenIds, expected, `${name}, seed ${seed}`);
  });
  const arrivals = [...embeddings].map(async ([mmHash, embedding]) => {
    await sleep(random() * 350);
    connector.put(mmHash, embedding);
  });
  await Promise.all([...ends, ...arrivals]);
}

for (const { decoder, seed, ...bounds } of [
  { decoder: 'decoder_model_merged.onnx', seed: 1, maxBatch: 8, tokenBudgetPerStep: 256 },
  { decoder: 'decoder_model_merged.onnx', seed: 2, maxBatch: 16, tokenBudgetPerStep: 48 },
  { decoder: 'decoder_model_merged_eager.onnx', seed: 3, maxBatch: 8, tokenBudgetPerStep: 64 },
  { decoder: 'decoder_model_merged_eager.onnx', seed: 4, maxBatch: 16, tokenBudgetPerStep: 512 },
  // Room for three short sequences, or one long one.
  {
    decoder: 'decoder_model_merged.onnx',
    seed: 5,
    maxBatch: 8,
    tokenBudgetPerStep: 64,
    kvCacheBytes: 600 * BYTES_PER_TOKEN,
  },
  {
    decoder: 'decoder_model_merged_eager.onnx',
    seed: 6,
    maxBatch: 16,
    tokenBudgetPerStep: 80,
    kvCacheBytes: 520 * BYTES_PER_TOKEN,
  },
  // Room for the images of one prompt at a time.
  {
    decoder: 'decoder_model_merged.onnx',
    seed: 7,
    maxBatch: 16,
    tokenBudgetPerStep: 128,
    encoderCacheBytes: 16 * 192 * 4 * 2,
  },
  // One or two slots, and room for two images: each can only continue with what another releases.
  {
    decoder: 'decoder_model_merged.onnx',
    seed: 100,
    maxBatch: 2,
    tokenBudgetPerStep: 16,
    kvCacheBytes: 520 * BYTES_PER_TOKEN,
    encoderCacheBytes: 16 * 192 * 4 * 2,
  },
]) {
  test.serial(
    `tokens do not depend on who else is served: ${JSON.stringify({ decoder, seed, ...bounds })}`,
    async (t) => {
      const connector = new LocalConnector();
      const engine = await startEngine(t, {
        decoder,
        ...bounds,
        maxHeld: 100,
        connector: { scheduler: connector, worker: connector },
      });
      await storm(t, engine, connector, seed, await prepared);
      const { waiting, running, slotsUsed, waitingForEmbeddings } = engine.stats();
      t.deepEqual(
        { waiting, running, slotsUsed, waitingForEmbeddings },
        { waiting: 0, running: 0, slotsUsed: 0, waitingForEmbeddings: 0 },
      );
      t.log(engine.stats());
    },
  );
}
