import test from 'ava';
import { readMessage } from '../../src/encode/encode-message.ts';

const MM_HASH = 'a'.repeat(64);

test('what says another version is left to others', (t) => {
  t.deepEqual(readMessage({ v: 2, mmHash: MM_HASH }), { kind: 'foreign' });
});

test('what says no version is damaged: nobody can read it', (t) => {
  t.deepEqual(readMessage({ mmHash: MM_HASH }), { kind: 'unreadable', mmHash: MM_HASH });
  t.deepEqual(readMessage({ v: '1', mmHash: 'x' }), { kind: 'unreadable', mmHash: null });
  t.deepEqual(readMessage(null), { kind: 'unreadable', mmHash: null });
});
