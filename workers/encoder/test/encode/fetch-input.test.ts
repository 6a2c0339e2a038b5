import { sha256Hex } from '@epd/connector';
import test from 'ava';
import { fetchInput } from '../../src/encode/fetch-input.ts';
import { EncoderError } from '../../src/errors.ts';

const PICTURE = Buffer.from('a picture');
const INPUT = {
  key: 'inputs/1',
  sha256: sha256Hex(PICTURE),
  mediaType: 'image/png',
  bytes: PICTURE.length,
  width: 1,
  height: 1,
};
const LIMITS = { maxBytes: 1_000, signal: new AbortController().signal };

/** A store that answers once with each of the bodies, and then with the last. */
const answering = (...bodies: readonly (Buffer | null)[]) => {
  let asked = 0;
  return { get: async () => bodies[Math.min(asked++, bodies.length - 1)] ?? null };
};

test('a page that a proxy puts in place of the image for a moment is read past', async (t) => {
  const store = answering(Buffer.from('<html>busy</html>'), PICTURE);
  t.deepEqual(await fetchInput(store, INPUT, LIMITS), PICTURE);
});

test('an image that is damaged, or gone, is said to be', async (t) => {
  await t.throwsAsync(fetchInput(answering(Buffer.from('other')), INPUT, LIMITS), {
    instanceOf: EncoderError,
    code: 'input_damaged',
  });
  await t.throwsAsync(fetchInput(answering(null), INPUT, LIMITS), { code: 'input_missing' });
});
