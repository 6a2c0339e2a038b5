import { randomBytes } from 'node:crypto';
import test from 'ava';
import { payloadTag } from '../src/payload-tag.ts';

const PAYLOAD = randomBytes(100_003);

test('a tag is of the bytes alone, wherever they lie', (t) => {
  const shared = new Uint8Array(new SharedArrayBuffer(PAYLOAD.byteLength + 5)).subarray(5);
  shared.set(PAYLOAD);
  t.is(payloadTag(shared), payloadTag(PAYLOAD));
  t.regex(payloadTag(PAYLOAD), /^[0-9a-f]{32}$/);
});

test('files that were written before are read: the tag of known bytes does not change', (t) => {
  t.is(payloadTag(Buffer.from('embedding')), '14acca48ba4555947e4d173010ac8951');
});

test('a bit, a byte more or less, or two bytes that trade places give another tag', (t) => {
  const flipped = Buffer.from(PAYLOAD);
  flipped[70_000]! ^= 1;
  const swapped = Buffer.from(PAYLOAD);
  swapped.set([PAYLOAD[11]!, PAYLOAD[10]! ^ 0xff], 10);
  const others = [
    flipped,
    swapped,
    PAYLOAD.subarray(1),
    Buffer.concat([PAYLOAD, Buffer.alloc(1)]),
    Buffer.alloc(0),
  ];
  const tags = new Set([PAYLOAD, ...others].map(payloadTag));
  t.is(tags.size, others.length + 1);
});
