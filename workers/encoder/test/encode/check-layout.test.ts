import { imageLayout, type ImageGeometry, type ImageSize } from '@epd/model/geometry';
import test from 'ava';
import { checkLayout } from '../../src/encode/check-layout.ts';
import { EncoderError } from '../../src/errors.ts';

const CUTTING: ImageGeometry = {
  family: 'idefics3',
  longestEdge: 384,
  tileEdge: 128,
  splits: true,
  rowsPerTile: 16,
  markers: { whole: 3, tile: 2, rowEnd: 1, lastRowEnd: 1 },
};

const layoutOf = (width: number, height: number) => imageLayout(CUTTING, width, height);
const promised = ({ width, height }: ImageSize) => layoutOf(width, height);

const accepted = (width: number, height: number) => ({
  input: { key: '', sha256: '', mediaType: 'image/png', bytes: 1, width, height },
  tokens: layoutOf(width, height).tokens,
});

test('an image of the size that it was accepted with passes', (t) => {
  t.notThrows(() => checkLayout(layoutOf(300, 200), accepted(300, 200), promised));
  t.notThrows(() => checkLayout(layoutOf(300, 200), accepted(600, 400), promised));
});

test('rows and columns exchanged are refused, though there are as many tiles', (t) => {
  t.is(layoutOf(300, 200).tokens, layoutOf(200, 300).tokens);
  t.throws(() => checkLayout(layoutOf(200, 300), accepted(300, 200), promised), {
    instanceOf: EncoderError,
    code: 'image_size_mismatch',
    message: /3 × 2 tiles.*2 × 3 tiles/,
  });
});

test('another number of tokens than was accepted is refused', (t) => {
  const job = { ...accepted(300, 200), tokens: 16 };
  t.throws(() => checkLayout(layoutOf(300, 200), job, promised), { code: 'image_size_mismatch' });
});
