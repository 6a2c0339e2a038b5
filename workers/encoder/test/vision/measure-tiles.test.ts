import test from 'ava';
import { measureTilesPerRun } from '../../src/vision/measure-tiles.ts';

const SHAPE = { rows: 1, parts: 1, dims: [3, 2, 2], grid: null };

const measure = async (msOf: (tiles: number) => number, tilesMax = 64) => {
  const encode = (items: readonly { parts: number }[]) =>
    Promise.resolve({ embeddings: [], ms: msOf(items[0]!.parts) });
  const { tilesPerRun, samples } = await measureTilesPerRun(encode, { shape: SHAPE, tilesMax });
  return { tilesPerRun, tried: samples.map(({ tiles }) => tiles) };
};

test('a model that gains by batches gets large ones', async (t) => {
  t.deepEqual(await measure((tiles) => 10 + tiles), {
    tilesPerRun: 64,
    tried: [1, 2, 4, 8, 16, 32, 64],
  });
});

test('a model that loses by batches gets single tiles', async (t) => {
  t.deepEqual(await measure((tiles) => 32 * tiles ** 1.5), { tilesPerRun: 1, tried: [1, 2] });
});

test('a gain that is noise does not make a batch', async (t) => {
  t.is((await measure((tiles) => 10 * tiles * 0.99)).tilesPerRun, 1);
});

test('slow runs are not doubled', async (t) => {
  t.deepEqual(await measure((tiles) => 900 + 200 * tiles), { tilesPerRun: 1, tried: [1] });
});

test('the limit is kept', async (t) => {
  t.deepEqual(await measure(() => 10, 3), { tilesPerRun: 2, tried: [1, 2] });
});
