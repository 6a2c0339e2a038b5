import test from 'ava';
import { EmbeddingReceiver } from '../src/embedding-receiver.ts';
import { readSafetensors, sha256Hex, writeEmbeddingFile } from '../src/index.ts';
import { FINGERPRINT, embeddingOf, hashOf } from './helpers/embeddings.ts';

const file = writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat', 40, 8));
const payloadOf = (bytes: Uint8Array) => readSafetensors(bytes).tensors.get('ec_cache')!.data;

function receive(receiver: EmbeddingReceiver, bytes: Uint8Array, step: number): Uint8Array {
  const memory = receiver.allocate(bytes.byteLength);
  for (let filled = 0; filled < bytes.byteLength;) {
    const end = Math.min(bytes.byteLength, filled + step);
    memory.set(bytes.subarray(filled, end), filled);
    filled = end;
    receiver.onFilled(filled);
  }
  return memory;
}

for (const step of [1, 7, 64, 100_000]) {
  test(`a payload that arrives in pieces of ${step} has its digest`, (t) => {
    const receiver = new EmbeddingReceiver();
    const received = receive(receiver, file, step);
    t.true(received.buffer instanceof SharedArrayBuffer);
    t.is(receiver.digest(payloadOf(received)), sha256Hex(payloadOf(file)));
  });
}

test('what came from elsewhere, or came only in part, is digested as it is', (t) => {
  const receiver = new EmbeddingReceiver();
  t.is(receiver.digest(payloadOf(file)), sha256Hex(payloadOf(file)));
  const memory = receiver.allocate(file.byteLength);
  memory.set(file);
  receiver.onFilled(file.byteLength - 5);
  t.is(receiver.digest(payloadOf(memory)), sha256Hex(payloadOf(file)));
});

test('a second attempt begins anew', (t) => {
  const receiver = new EmbeddingReceiver();
  receive(receiver, file.subarray(0, file.byteLength - 20), 64);
  const received = receive(receiver, file, 64);
  t.is(receiver.digest(payloadOf(received)), sha256Hex(payloadOf(file)));
});

test('what has no payload is no matter', (t) => {
  const receiver = new EmbeddingReceiver();
  for (const bytes of [new Uint8Array(0), new Uint8Array(5), new Uint8Array(100).fill(255)]) {
    t.notThrows(() => receive(receiver, bytes, 3));
  }
});
