import test from 'ava';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbeddingReceiver } from '../src/embedding-receiver.ts';
import { readSafetensors, sha256Hex, writeEmbeddingFile } from '../src/index.ts';
import { FINGERPRINT, embeddingOf, hashOf } from './helpers/embeddings.ts';

const fileOf = (rows: number) =>
  writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat', rows, 512));
const SMALL = fileOf(40);
/** Large enough for the thread, in whole pieces or not. */
const LARGE = fileOf(2000);
const payloadOf = (file: Uint8Array) => readSafetensors(file).tensors.get('ec_cache')!.data;

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

for (const [name, file] of [
  ['small', SMALL],
  ['large', LARGE],
] as const) {
  for (const step of [61, 65_536, 2 ** 20, 2 ** 24]) {
    test(`a ${name} file that arrives in pieces of ${step} has its payload’s digest`, async (t) => {
      const receiver = new EmbeddingReceiver();
      const received = receive(receiver, file, step);
      t.true(received.buffer instanceof SharedArrayBuffer);
      t.is(await receiver.payloadSha256(received), sha256Hex(payloadOf(file)));
    });
  }
}

test('many files at once each have their own digest', async (t) => {
  const files = [1000, 1100, 1200, 1300].map(fileOf);
  const digests = files.map((file) => {
    const receiver = new EmbeddingReceiver();
    return receiver.payloadSha256(receive(receiver, file, 300_000));
  });
  t.deepEqual(
    await Promise.all(digests),
    files.map((file) => sha256Hex(payloadOf(file))),
  );
});

test('what came from elsewhere, or came only in part, is digested as it is', async (t) => {
  const receiver = new EmbeddingReceiver();
  t.is(await receiver.payloadSha256(LARGE), sha256Hex(payloadOf(LARGE)));
  const memory = receiver.allocate(LARGE.byteLength);
  memory.set(LARGE);
  receiver.onFilled(LARGE.byteLength - 5);
  t.is(await receiver.payloadSha256(memory), sha256Hex(payloadOf(LARGE)));
});

test('a second attempt begins anew', async (t) => {
  const receiver = new EmbeddingReceiver();
  receive(receiver, LARGE.subarray(0, LARGE.byteLength - 20), 2 ** 20);
  const received = receive(receiver, LARGE, 2 ** 20);
  t.is(await receiver.payloadSha256(received), sha256Hex(payloadOf(LARGE)));
});

test('what has no header has no payload', async (t) => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(5), new Uint8Array(2 ** 22).fill(255)]) {
    const receiver = new EmbeddingReceiver();
    t.is(await receiver.payloadSha256(receive(receiver, bytes, 65_536)), null);
  }
});

test('a process that has digested, and one that still does, end as they should', async (t) => {
  const module = new URL('../src/digest/digester.ts', import.meta.url).href;
  const script = `import { beginDigest } from '${module}';
    const digest = beginDigest();
    digest.update(new Uint8Array(new SharedArrayBuffer(2 ** 24)));
    console.log(await digest.end());`;
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  t.is(stdout.trim(), sha256Hex(new Uint8Array(2 ** 24)));
});
