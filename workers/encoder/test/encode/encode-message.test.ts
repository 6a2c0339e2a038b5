import test from 'ava';
import { readMessage } from '../../src/encode/encode-message.ts';

const MM_HASH = 'a'.repeat(64);

test('what says another version is left to others', (t) => {
  t.deepEqual(readMessage({ v: 2, mmHash: MM_HASH }), { kind: 'foreign' });
});

test('media that this encoder does not know is left to others, an image is taken', (t) => {
  const input = {
    key: 'inputs/a',
    sha256: MM_HASH,
    mediaType: 'image/png',
    bytes: 1,
    width: 1,
    height: 1,
  };
  const job = {
    v: 1,
    mmHash: MM_HASH,
    model: 'm',
    fingerprint: 'f',
    input,
    tokens: 1,
    requestedAtMs: 0,
  };
  t.is(readMessage(job).kind, 'job', 'messages from before say no modality');
  t.is(readMessage({ ...job, input: { ...input, modality: 'image' } }).kind, 'job');
  t.is(readMessage({ ...job, input: { ...input, modality: 'audio' } }).kind, 'foreign');
});

test('what says no version is damaged: nobody can read it', (t) => {
  t.deepEqual(readMessage({ mmHash: MM_HASH }), { kind: 'unreadable', mmHash: MM_HASH });
  t.deepEqual(readMessage({ v: '1', mmHash: 'x' }), { kind: 'unreadable', mmHash: null });
  t.deepEqual(readMessage(null), { kind: 'unreadable', mmHash: null });
});
