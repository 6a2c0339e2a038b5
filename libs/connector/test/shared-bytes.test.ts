import { randomBytes } from 'node:crypto';
import test from 'ava';
import { copyBytes, sharedBytes, toSharedBytes } from '../src/shared-bytes.ts';

const BYTES = randomBytes(70_001);

test('bytes become shared ones once', (t) => {
  const shared = toSharedBytes(BYTES);
  t.true(shared.buffer instanceof SharedArrayBuffer);
  t.deepEqual(Buffer.from(shared), BYTES);
  t.is(toSharedBytes(shared), shared);
  t.is(toSharedBytes(new Uint8Array(0)).byteLength, 0);
});

for (const [kind, memory] of [
  ['shared', sharedBytes],
  ['own', (bytes: number) => new Uint8Array(bytes)],
] as const) {
  test(`a copy into ${kind} memory lies where it was put, and nowhere else`, (t) => {
    const view = memory(BYTES.byteLength + 10).subarray(2);
    copyBytes(BYTES, view, 3);
    copyBytes(new Uint8Array(0), view, 1);
    t.deepEqual(Buffer.from(view.subarray(3, -5)), BYTES);
    t.true(
      [...new Uint8Array(view.buffer).subarray(0, 5), ...view.subarray(-5)].every((b) => b === 0),
    );
  });

  test(`what does not fit into ${kind} memory is refused, and nothing of it written`, (t) => {
    const view = memory(4);
    t.throws(() => copyBytes(Uint8Array.of(1, 2, 3), view, 2), { instanceOf: RangeError });
    t.deepEqual([...view], [0, 0, 0, 0]);
  });
}
