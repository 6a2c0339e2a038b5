import type { VisionItem } from '@epd/model/preprocess';
import test, { type ExecutionContext } from 'ava';
import {
  VisionRunner,
  VisionThreadError,
  type VisionRunnerOptions,
} from '../../src/vision/vision-runner.ts';
import { goldenFeatures, goldenPixels, worstDifference } from '../helpers/golden.ts';
import { visionOptions } from '../helpers/vision-options.ts';

const TOLERANCE = 1e-4;

async function start(
  t: ExecutionContext,
  changed: Partial<VisionRunnerOptions> = {},
): Promise<VisionRunner> {
  const runner = await VisionRunner.start({
    ...(await visionOptions()),
    runTimeoutMs: 60_000,
    onHang: () => t.fail('it hangs'),
    onDeath: (error) => t.fail(error.message),
    ...changed,
  });
  t.teardown(() => runner.close());
  return runner;
}

/** Several pictures as if they were the tiles of one. */
async function joined(names: readonly string[]): Promise<VisionItem> {
  const parts = await Promise.all(names.map(goldenPixels));
  const bytes = parts.reduce((sum, { data }) => sum + data.byteLength, 0);
  const data = new Float32Array(new SharedArrayBuffer(bytes));
  for (const [index, part] of parts.entries()) data.set(part.data, index * part.data.length);
  return { rows: 16 * names.length, parts: names.length, dims: [3, 128, 128], grid: null, data };
}

test('the golden pictures have the reference’s features, alone and together', async (t) => {
  const runner = await start(t);
  const features = await goldenFeatures();
  const names = [...features.keys()];
  t.is(names.length, 47);
  const images = await Promise.all(names.map(goldenPixels));
  const { embeddings } = await runner.encode(images, 8);
  for (const [index, name] of names.entries()) {
    const { rows, width, dtype, data } = embeddings[index]!;
    t.deepEqual([rows, width, dtype], [16, 192, 'F32']);
    const difference = worstDifference(data, features.get(name)!);
    t.true(difference <= TOLERANCE, `${name} differs by ${difference}`);
  }
  const alone = await runner.encode([images[0]!], 8);
  t.true(worstDifference(alone.embeddings[0]!.data, features.get(names[0]!)!) <= TOLERANCE);
});

for (const tilesPerRun of [1, 2, 16]) {
  test(`the rows of a cut image's tiles follow each other, ${tilesPerRun} tiles a run`, async (t) => {
    const runner = await start(t);
    const features = await goldenFeatures();
    const [cut, whole] = [['00-0.png', '00-1.png', '00-2.png'], ['01-0.png']] as const;
    const images = [await joined(cut), await joined(whole)];
    const { embeddings } = await runner.encode(images, tilesPerRun);
    t.deepEqual(
      embeddings.map(({ rows }) => rows),
      [48, 16],
    );
    const expected = Float32Array.from(cut.flatMap((name) => Array.from(features.get(name)!)));
    t.true(worstDifference(embeddings[0]!.data, expected) <= TOLERANCE);
    t.true(worstDifference(embeddings[1]!.data, features.get('01-0.png')!) <= TOLERANCE);
  });
}

test('the event loop stays free during a run', async (t) => {
  const runner = await start(t);
  const run = runner.encode(Array.from({ length: 16 }, noise), 16);
  const state = { done: false, turns: 0 };
  void run.finally(() => (state.done = true));
  while (!state.done) {
    state.turns += 1;
    await new Promise(setImmediate);
  }
  t.true(state.turns > 10);
});

test('values that are not finite are refused, and the next image is encoded', async (t) => {
  const runner = await start(t);
  const bad = { ...noise(), data: noise().data.fill(Number.NaN) };
  await t.throwsAsync(runner.encode([bad], 1), { message: /not finite/ });
  t.is((await runner.encode([noise()], 1)).embeddings.length, 1);
});

test('a run that hangs is reported', async (t) => {
  const hung = Promise.withResolvers<void>();
  const runner = await start(t, { runTimeoutMs: 1, onHang: hung.resolve });
  const run = runner.encode(Array.from({ length: 32 }, noise), 32);
  await hung.promise;
  await run;
  t.pass();
});

test('a model that cannot be loaded is an error of the start', async (t) => {
  const started = start(t, { modelPath: '/no/such/model.onnx' });
  await t.throwsAsync(started, { instanceOf: VisionThreadError, message: /model\.onnx/ });
});

test('closing waits for the run, and refuses what comes later', async (t) => {
  const runner = await start(t);
  const run = runner.encode(Array.from({ length: 8 }, noise), 8);
  await Promise.all([runner.close(), runner.close()]);
  t.is((await run).embeddings.length, 8);
  await t.throwsAsync(runner.encode([noise()], 1), { instanceOf: VisionThreadError });
});

function noise(): VisionItem {
  const data = new Float32Array(new SharedArrayBuffer(4 * 3 * 128 * 128));
  for (const index of data.keys()) data[index] = Math.sin(index);
  return { rows: 16, parts: 1, dims: [3, 128, 128], grid: null, data };
}
