import test from 'ava';
import { createHash, randomBytes } from 'node:crypto';
import {
  EmbeddingStore,
  MemoryStore,
  embeddingKey,
  writeEmbeddingFile,
  writeSafetensors,
} from '../../src/index.ts';
import { FINGERPRINT, embeddingOf, hashOf, specOf } from '../helpers/embeddings.ts';

const OBJECTS = 1000;
const SEED = 'hostile objects 1';

/** The same numbers in every run. */
function randomNumbers(seed: string): (below: number) => number {
  let state = createHash('sha256').update(seed).digest();
  let used = 0;
  return (below) => {
    if (used + 4 > state.byteLength) {
      state = createHash('sha256').update(state).digest();
      used = 0;
    }
    used += 4;
    return state.readUInt32LE(used - 4) % below;
  };
}

const good = writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
const headerBytes = Number(Buffer.from(good).readBigUInt64LE());
const header = Buffer.from(good.subarray(8, 8 + headerBytes))
  .toString()
  .trimEnd();
const payload = good.subarray(8 + headerBytes);

type Random = ReturnType<typeof randomNumbers>;

const withHeader = (json: string): Uint8Array => {
  const bytes = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.byteLength));
  return Buffer.concat([length, bytes, payload]);
};

const HOSTILE_TEXTS = [
  '-1',
  '1e308',
  '9007199254740993',
  '"\\ud800"',
  'null',
  '[]',
  '{}',
  '[0,[[[[]]]]]',
  '18446744073709551616',
  '"__proto__"',
  '"constructor"',
  '"../../etc"',
];

const KINDS: Readonly<Record<string, (random: Random) => Uint8Array>> = {
  'a truncated one': (random) => good.subarray(0, random(good.byteLength)),
  'one with something behind it': (random) => Buffer.concat([good, randomBytes(1 + random(64))]),
  'one with flipped bits in its payload': (random) => {
    const file = Uint8Array.from(good);
    file[8 + headerBytes + random(payload.byteLength)]! ^= 1 << random(8);
    return file;
  },
  'one with another header length': (random) => {
    const file = Buffer.from(good);
    const lengths = [
      0n,
      1n,
      BigInt(headerBytes - 1),
      BigInt(headerBytes + 1),
      1n << BigInt(random(64)),
      0xffff_ffff_ffff_ffffn,
    ];
    file.writeBigUInt64LE(lengths[random(lengths.length)]!);
    return file;
  },
  'one with a number in its header replaced': (random) => {
    const numbers = [...header.matchAll(/(?<=[[,])\d+(?=[,\]])/g)];
    const { index, 0: text } = numbers[random(numbers.length)]!;
    const hostile = HOSTILE_TEXTS[random(HOSTILE_TEXTS.length)]!;
    return withHeader(header.slice(0, index) + hostile + header.slice(index + text.length));
  },
  'one with a text in its header replaced': (random) => {
    const texts = [...header.matchAll(/"[^"]+"/g)];
    const { index, 0: text } = texts[random(texts.length)]!;
    const hostile = HOSTILE_TEXTS[random(HOSTILE_TEXTS.length)]!;
    return withHeader(header.slice(0, index) + hostile + header.slice(index + text.length));
  },
  'one with a header cut short': (random) => withHeader(header.slice(0, random(header.length))),
  'one with a very deep header': (random) => withHeader('[{"a":'.repeat(1000 * (1 + random(50)))),
  'one whose header repeats the tensor': () =>
    withHeader(
      header.replace(/}$/, `,"ec_cache":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`),
    ),
  noise: (random) => randomBytes(random(4096)),
  'noise with a sound length': (random) => {
    const file = randomBytes(8 + headerBytes + random(256));
    file.writeBigUInt64LE(BigInt(headerBytes));
    return file;
  },
  nothing: () => new Uint8Array(0),
  'a huge one': () => new Uint8Array(1 << 20),
  zeros: (random) => new Uint8Array(random(4096)),
  'another image’s': (random) =>
    writeEmbeddingFile(hashOf(`dog ${random(9)}`), FINGERPRINT, embeddingOf('cat')),
  'another model’s': (random) =>
    writeEmbeddingFile(hashOf('cat'), `model ${random(9)}`, embeddingOf('cat')),
  'one of another shape': (random) =>
    writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat', 5 + random(9), 8)),
  'vLLM’s, of which nobody knows what it is': () =>
    writeSafetensors({ ec_cache: { dtype: 'F32', shape: [4, 8], data: randomBytes(128) } }),
};

test('of 1,000 hostile objects none is used, none throws, and each is replaced by the right one', async (t) => {
  const random = randomNumbers(SEED);
  const kinds = Object.entries(KINDS);
  const store = new MemoryStore();
  const embeddings = new EmbeddingStore({ store, maxBytes: 1 << 18 });
  const key = embeddingKey('embeddings', hashOf('cat'));
  let used = 0;
  for (let index = 0; index < OBJECTS; index += 1) {
    const [kind, make] = kinds[index % kinds.length]!;
    await store.put(key, make(random));
    const loaded = await embeddings.load(specOf('cat'));
    if (loaded && !Buffer.from(loaded.embedding.data).equals(payload)) used += 1;
    if (!loaded) t.is(await store.stat(key), null, `${kind} is still in the way`);
    await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
    const after = await embeddings.load(specOf('cat'));
    t.deepEqual(
      after?.embedding.data && Buffer.from(after.embedding.data),
      Buffer.from(payload),
      kind,
    );
  }
  t.is(used, 0);
});

test('every kind of hostile object is a miss', async (t) => {
  const random = randomNumbers(SEED);
  const store = new MemoryStore();
  const embeddings = new EmbeddingStore({ store, maxBytes: 1 << 18 });
  for (const [kind, make] of Object.entries(KINDS)) {
    await store.put(embeddingKey('embeddings', hashOf('cat')), make(random));
    t.is(await embeddings.load(specOf('cat')), null, kind);
  }
});
