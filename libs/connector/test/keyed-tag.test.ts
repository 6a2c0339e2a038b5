import { randomBytes } from 'node:crypto';
import test from 'ava';
import { embeddingFileParts, readEmbeddingFile } from '../src/embeddings/embedding-file.ts';
import { SafetensorsError } from '../src/errors.ts';
import { joined } from '../src/stores/object-body.ts';

const SECRET = 'a-secret-of-the-fleet';
const FINGERPRINT = 'f'.repeat(64);
const [CAT, DOG] = ['a'.repeat(64), 'b'.repeat(64)] as const;
const data = randomBytes(2 * 4 * 4);
const embedding = { rows: 2, width: 4, dtype: 'F32', data } as const;

const written = (mmHash: string, secret?: string): Uint8Array =>
  joined(embeddingFileParts(mmHash, FINGERPRINT, embedding, secret));

const read = (file: Uint8Array, mmHash: string, secret?: string) =>
  readEmbeddingFile(
    file,
    { mmHash, fingerprint: FINGERPRINT, width: 4 },
    { acceptForeign: true, secret },
  );

const replaced = (file: Uint8Array, from: string, to: string): Uint8Array =>
  Buffer.from(Buffer.from(file).toString('latin1').replace(from, to), 'latin1');

test('what the fleet has tagged is read by who knows its key', (t) => {
  t.deepEqual(Buffer.from(read(written(CAT, SECRET), CAT, SECRET).data), data);
});

test('what somebody else has put into the store is refused: without the key, with another, under another name', (t) => {
  const sound = written(CAT, SECRET);
  const forged = [
    written(CAT), // a checksum of its own, as before there was a key
    written(CAT, 'another-secret-of-whom'),
    replaced(sound, Buffer.from(data).toString('latin1'), randomBytes(32).toString('latin1')),
    replaced(sound, '"epd-ec-3"', '"epd-ec-2"'),
  ];
  for (const file of forged) {
    t.throws(() => read(file, CAT, SECRET), { instanceOf: SafetensorsError });
  }
  // The same payload and tag, said to be another item's.
  t.throws(() => read(replaced(sound, CAT, DOG), DOG, SECRET), { instanceOf: SafetensorsError });
  const foreign = replaced(sound, '"format"', '"forrat"');
  t.throws(() => read(foreign, CAT, SECRET), { instanceOf: SafetensorsError });
});

test('a process without the key takes a tagged file for a foreign one', (t) => {
  t.throws(() => read(written(CAT, SECRET), CAT), { instanceOf: SafetensorsError });
});
