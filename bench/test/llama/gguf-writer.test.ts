import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import { float32, writeGguf } from '../../src/llama/gguf-writer.ts';

const values = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

test('a file has its head, the places of its tensors, and each tensor where its place says', async (t) => {
  const path = join(await tempFolder(t), 'model.gguf');
  const one = { type: 'f32', rows: 1, columns: 3, isVector: true } as const;
  await writeGguf(path, { 'a.text': 'x', 'a.list': [7, 1], 'a.float': float32(0.5) }, [
    { ...one, name: 'first', values: () => values(1, 2, 3) },
    { ...one, name: 'second', values: () => values(4, 5, 6) },
  ]);
  const file = await readFile(path);
  t.is(file.toString('latin1', 0, 4), 'GGUF');
  t.deepEqual(
    [file.readUInt32LE(4), file.readBigUInt64LE(8), file.readBigUInt64LE(16)],
    [3, 2n, 3n],
  );
  const list = file.indexOf('a.list') + 'a.list'.length;
  // A list, of 32-bit integers, two of them.
  t.deepEqual([file.readUInt32LE(list), file.readUInt32LE(list + 4)], [9, 5]);
  t.deepEqual([file.readInt32LE(list + 16), file.readInt32LE(list + 20)], [7, 1]);
  // Name, one dimension of three, 32-bit floating point, then the place.
  const places = ['first', 'second'].map((name) => {
    const at = file.indexOf(name) + name.length;
    return Number(file.readBigUInt64LE(at + 4 + 8 + 4));
  });
  t.deepEqual(places, [0, 32]);
  t.is(file.length % 32, 0);
  const data = file.length - 64;
  t.is(file.readFloatLE(data), 1);
  t.is(file.readFloatLE(data + 32 + 8), 6);
});
