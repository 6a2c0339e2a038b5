import test from 'ava';
import { createHash } from 'node:crypto';
import {
  canonicalJson,
  embeddingKey,
  inputKey,
  mmHash,
  sha256Hex,
  type MmHashInput,
} from '../src/index.ts';

const BASE: MmHashInput = {
  tenant: '',
  modality: 'image',
  fingerprint: 'f1',
  processing: { size: 384 },
  contentSha256: sha256Hex(Buffer.from('image')),
};

test('a key is 64 hex characters and always the same', (t) => {
  t.regex(mmHash(BASE), /^[0-9a-f]{64}$/);
  t.is(mmHash(BASE), mmHash({ ...BASE, processing: { size: 384, crop: undefined } }));
});

test('every part of the input counts', (t) => {
  const variants: Partial<MmHashInput>[] = [
    {},
    { tenant: 'a' },
    { fingerprint: 'f2' },
    { processing: {} },
    { processing: { size: 385 } },
    { processing: { size: '384' } },
    { contentSha256: sha256Hex(Buffer.from('other')) },
  ];
  t.is(new Set(variants.map((variant) => mmHash({ ...BASE, ...variant }))).size, variants.length);
});

test('moving text from one field to its neighbour changes the key', (t) => {
  t.not(
    mmHash({ ...BASE, tenant: 'ab' }),
    mmHash({ ...BASE, tenant: 'a', fingerprint: `b${BASE.fingerprint}` }),
  );
  t.not(
    mmHash({ ...BASE, tenant: 'image' }),
    mmHash({ ...BASE, fingerprint: `image${BASE.fingerprint}` }),
  );
});

/**
 * With keys made by joining names and values, an image sent with `max_pixels` and the image that has
 * the bytes of that option behind it, sent without, feed the hash the same bytes; decoders ignore
 * what follows an image. So one tenant could plant a small embedding under another's key.
 */
test('the collision that concatenation allows is none here', (t) => {
  const raw = Buffer.from('the bytes of an image');
  const option = Buffer.alloc(8);
  option.writeBigInt64LE(1_003_520n);
  const padded = Buffer.concat([raw, Buffer.from('max_pixels'), option]);

  t.is(
    joined(raw, Buffer.concat([Buffer.from('max_pixels'), option])),
    joined(padded, Buffer.alloc(0)),
  );

  const withOption = {
    ...BASE,
    processing: { max_pixels: 1_003_520 },
    contentSha256: sha256Hex(raw),
  };
  const planted = { ...BASE, processing: {}, contentSha256: sha256Hex(padded) };
  t.not(mmHash(withOption), mmHash(planted));
});

test('canonical JSON does not depend on the order of properties', (t) => {
  t.is(
    canonicalJson({ b: [1, { d: null, c: 'x' }], a: true }),
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
  t.is(canonicalJson({ a: 1, b: 2 }), canonicalJson({ b: 2, a: 1 }));
});

test('what JSON would change silently has no place in a key', (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, undefined, () => 1, [undefined]]) {
    t.throws(() => canonicalJson(value), { instanceOf: TypeError });
  }
});

test('store keys are made from digests only', (t) => {
  const hash = mmHash(BASE);
  t.is(inputKey(hash), `inputs/${hash}`);
  t.is(embeddingKey('embeddings', hash), `embeddings/${hash}/encoder_cache.safetensors`);
  t.is(embeddingKey('', hash), `${hash}/encoder_cache.safetensors`);
  for (const bad of ['', '../x', hash.toUpperCase(), `${hash}0`]) {
    t.throws(() => embeddingKey('', bad), { instanceOf: TypeError });
    t.throws(() => inputKey(bad), { instanceOf: TypeError });
  }
});

/** How a hasher without lengths and separators joins names and values. */
const joined = (image: Buffer, options: Buffer) =>
  createHash('sha256')
    .update('image')
    .update(image)
    .update(options)
    .update('model_id')
    .digest('hex');
