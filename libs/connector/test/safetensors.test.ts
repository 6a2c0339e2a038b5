import test from 'ava';
import { readFile } from 'node:fs/promises';
import { SafetensorsError, readSafetensors, writeSafetensors } from '../src/index.ts';

const GOLDEN = new URL(
  '../../../models/tiny-vlm/golden/image_features.safetensors',
  import.meta.url,
);

test('a written file is byte for byte what the format describes', (t) => {
  const data = Uint8Array.from([0, 0, 128, 63]);
  const file = writeSafetensors({ ec_cache: { dtype: 'F32', shape: [1, 1], data } });
  const header = '{"ec_cache":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}';
  const padded = header.padEnd(64, ' ');
  t.is(header.length, 63);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(64n);
  t.deepEqual(Buffer.from(file), Buffer.concat([length, Buffer.from(padded), data]));
});

test('what is written is read again, with its metadata', (t) => {
  const tensors = {
    a: { dtype: 'BF16', shape: [2, 3], data: new Uint8Array(12).fill(7) },
    b: { dtype: 'I64', shape: [], data: new Uint8Array(8).fill(9) },
    empty: { dtype: 'F32', shape: [0, 5], data: new Uint8Array(0) },
  };
  const { metadata, tensors: read } = readSafetensors(writeSafetensors(tensors, { key: 'value' }));
  t.deepEqual(metadata, { key: 'value' });
  t.deepEqual(Object.fromEntries(read), tensors);
});

test('a file of the reference implementation is read', async (t) => {
  const { tensors } = readSafetensors(await readFile(GOLDEN));
  t.true(tensors.size > 0);
  for (const { dtype, shape, data } of tensors.values()) {
    t.is(dtype, 'F32');
    t.is(data.byteLength, 4 * shape.reduce((product, size) => product * size, 1));
  }
});

test('data that does not fit its shape is not written', (t) => {
  const tensor = { dtype: 'F32', shape: [2, 2], data: new Uint8Array(15) };
  t.throws(() => writeSafetensors({ tensor }), { instanceOf: TypeError });
  t.throws(() => writeSafetensors({ tensor: { ...tensor, dtype: 'F31' } }), {
    instanceOf: TypeError,
  });
});

const refused = test.macro((t, file: Uint8Array) => {
  t.throws(() => readSafetensors(file), { instanceOf: SafetensorsError });
});

const fileWith = (header: string | Uint8Array, data = new Uint8Array(4)): Uint8Array => {
  const bytes = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.byteLength));
  return Buffer.concat([length, bytes, data]);
};

const entry = (fields: object): string =>
  JSON.stringify({ t: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...fields } });

const BAD_FILES: Record<string, Uint8Array> = {
  'no byte': new Uint8Array(0),
  'half a header length': new Uint8Array(7),
  'a header longer than the file': fileWith('{}').subarray(0, 9),
  'a header of 2^64 - 1 bytes': Buffer.alloc(100, 0xff),
  'a header of a gigabyte': Buffer.concat([
    Buffer.from('0000004000000000', 'hex'),
    Buffer.alloc(100),
  ]),
  'a header that is no JSON': fileWith('{'),
  'a header that is no UTF-8': fileWith(Buffer.from([0x7b, 0xff, 0x7d])),
  'a header that is a list': fileWith('[]'),
  'a header that is null': fileWith('null'),
  'a header nested very deep': fileWith('['.repeat(500_000)),
  'an entry that is a number': fileWith('{"t":1}'),
  'an unknown dtype': fileWith(entry({ dtype: 'F33' })),
  'a dtype named as a method of objects': fileWith(entry({ dtype: 'toString' })),
  'a negative size': fileWith(entry({ shape: [-1] })),
  'a fractional size': fileWith(entry({ shape: [0.5] })),
  'a size that is a string': fileWith(entry({ shape: ['1'] })),
  'a shape whose product is no safe number': fileWith(entry({ shape: [2 ** 52, 2 ** 52] })),
  'three offsets': fileWith(entry({ data_offsets: [0, 4, 4] })),
  'offsets the wrong way round': fileWith(entry({ data_offsets: [4, 0] })),
  'offsets past the end': fileWith(entry({ shape: [2], data_offsets: [0, 8] })),
  'offsets that disagree with the shape': fileWith(entry({ data_offsets: [0, 2] })),
  'bytes that belong to no tensor': fileWith(entry({}), new Uint8Array(5)),
  'bytes before the first tensor': fileWith(entry({ data_offsets: [1, 5] }), new Uint8Array(5)),
  'overlapping tensors': fileWith(
    JSON.stringify({
      a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] },
      b: { dtype: 'U8', shape: [2], data_offsets: [2, 4] },
    }),
  ),
  'metadata that is no map of strings': fileWith(
    entry({}).replace('{', '{"__metadata__":{"a":1},'),
  ),
};
for (const [what, file] of Object.entries(BAD_FILES)) test(`${what} is refused`, refused, file);
