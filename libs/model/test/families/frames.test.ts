import { readFileSync } from 'node:fs';
import test from 'ava';
import { imageLayout, videoPlan, type ImageGeometry } from '../../src/families/geometry.ts';
import { inWords, planVideo } from '../../src/families/idefics3/frames.ts';
import { frameLayout, type Idefics3Geometry } from '../../src/families/idefics3/geometry.ts';

/** Made by models/making/families/videos.py from the reference's processor, with digits for number words. */
const golden = JSON.parse(
  readFileSync(new URL('fixtures/smolvlm-videos.json', import.meta.url), 'utf8'),
) as {
  readonly plans: readonly {
    readonly most: number;
    readonly perSecond: number;
    readonly videos: readonly (readonly [
      count: number,
      fps: number,
      indices: readonly number[],
      text: string,
    ])[];
  }[];
  readonly sizes: readonly (readonly [number, number, number, number])[];
};

const watching: Idefics3Geometry = {
  family: 'idefics3',
  longestEdge: 2048,
  tileEdge: 512,
  splits: true,
  frames: { most: 64, perSecond: 1, longestEdge: 512 },
  rowsPerTile: 64,
  markers: { whole: 3, tile: 2, rowEnd: 1, lastRowEnd: 1 },
};

for (const { most, perSecond, videos } of golden.plans) {
  test(`of ${most} frames at most, ${perSecond} a second, those are shown that the reference shows, in its words`, (t) => {
    for (const [count, fps, indices, text] of videos) {
      const plan = planVideo({ count, fps }, { most, perSecond, longestEdge: 512 });
      const shown = plan.frames.map(({ index }) => index);
      t.deepEqual(shown, [...indices], `${count} at ${fps}`);
      const frames = plan.frames.map((frame) => `${frame.text}|`).join('');
      const words = `series of ${inWords(shown.length)} frames`;
      const intro = plan.intro.replace(words, `series of ${shown.length} frames`);
      t.is(intro + frames + plan.outro, text);
    }
  });
}

test('a frame is scaled as the reference scales it, and is one tile whatever its size', (t) => {
  for (const [width, height, wide, high] of golden.sizes) {
    const { resized, tokens, expansion } = frameLayout(watching, width, height);
    t.deepEqual(resized, { width: wide, height: high }, `${width}x${height}`);
    t.deepEqual([tokens, expansion], [64, 67]);
  }
  t.true(imageLayout(watching, 2048, 2048).tokens > 64);
  t.is(imageLayout(watching, 2048, 2048, true).tokens, 64);
});

test('numbers are spelled as num2words spells them', (t) => {
  const spelled = [1, 13, 20, 21, 64, 100, 101, 999].map(inWords);
  t.deepEqual(spelled, [
    'one',
    'thirteen',
    'twenty',
    'twenty-one',
    'sixty-four',
    'one hundred',
    'one hundred and one',
    'nine hundred and ninety-nine',
  ]);
});

test('a model that was not trained on videos has no plan for one, and no layout', (t) => {
  const { frames: _, ...still } = watching;
  const square: ImageGeometry = { family: 'fixed-grid', edge: 56, rowsPerImage: 16, markers: 0 };
  for (const geometry of [still, square]) {
    t.is(videoPlan(geometry, { count: 3, fps: 1 }), null);
    t.throws(() => imageLayout(geometry, 10, 10, true), { message: /video/ });
  }
});
