import test from 'ava';
import { imageLayout, PromptBuilder, readModelFolder } from '@epd/model';
import { idefics3Layout, type Idefics3Geometry } from '../../src/families/idefics3/geometry.ts';
import { copyOfTinyVlm, splittingModel, TINY_VLM } from '../helpers/folders.ts';
import { processed, yardstick } from '../helpers/yardstick.ts';

const SIZES = [
  [128, 128],
  [64, 48],
  [640, 480],
  [480, 641],
  [2048, 512],
  [2047, 511],
  [1, 1],
  [1000, 3],
  [333, 1999],
  [4096, 2731],
] as const;

for (const [width, height] of SIZES) {
  // One at a time: the reference holds every tile of a large image in memory.
  test.serial(
    `a ${width}x${height} image is laid out as by the reference, cut into tiles`,
    async (t) => {
      const folder = await splittingModel(t);
      const { geometry } = new PromptBuilder(await readModelFolder(folder));
      const layout = idefics3Layout(geometry as Idefics3Geometry, width, height);
      const reference = await processed(await yardstick(folder), '<image>', [[width, height]]);
      t.deepEqual(
        { rows: layout.rows, cols: layout.cols, tiles: layout.tiles },
        {
          rows: reference.rows[0]?.[0] ?? -1,
          cols: reference.cols[0]?.[0] ?? -1,
          tiles: reference.pixel_values.dims[1] ?? -1,
        },
      );
      t.is(layout.tokens, layout.tiles * 64);
    },
  );
}

test('an image of a model that does not cut takes one tile, whatever its size', async (t) => {
  const { geometry } = new PromptBuilder(await readModelFolder(TINY_VLM));
  for (const [width, height] of SIZES) {
    const { rows, cols, tiles, tokens, expansion } = idefics3Layout(
      geometry as Idefics3Geometry,
      width,
      height,
    );
    t.deepEqual([rows, cols, tiles, tokens, expansion], [0, 0, 1, 16, 19]);
  }
});

test('a side never vanishes, however thin the image', async (t) => {
  const folder = await splittingModel(t);
  const { geometry } = new PromptBuilder(await readModelFolder(folder));
  t.deepEqual(idefics3Layout(geometry as Idefics3Geometry, 10_000, 1).resized, {
    width: 2048,
    height: 1,
  });
  t.deepEqual(idefics3Layout(geometry as Idefics3Geometry, 1, 10_000).canvas, {
    width: 512,
    height: 2048,
  });
});

test('a size that is none is refused', async (t) => {
  const { geometry } = new PromptBuilder(await readModelFolder(await copyOfTinyVlm(t)));
  for (const [width, height] of [
    [0, 5],
    [5, -1],
    [1.5, 5],
    [Number.NaN, 5],
  ] as const) {
    t.throws(() => imageLayout(geometry, width, height), { instanceOf: TypeError });
  }
});

test('a geometry survives JSON', async (t) => {
  const { geometry } = new PromptBuilder(await readModelFolder(TINY_VLM));
  t.deepEqual(JSON.parse(JSON.stringify(geometry)), geometry);
});
