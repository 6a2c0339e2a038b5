import test from 'ava';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  EmbeddingStore,
  FolderStore,
  MemoryStore,
  TieredStore,
  embeddingKey,
  sha256Hex,
  toFloat32,
  writeEmbeddingFile,
  writeSafetensors,
  type ObjectStore,
  type PutOptions,
} from '../../src/index.ts';
import { countingMetrics } from '../helpers/counting-metrics.ts';
import { FINGERPRINT, embeddingOf, hashOf, specOf } from '../helpers/embeddings.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const KEY = embeddingKey('embeddings', hashOf('cat'));

function memoryBacked() {
  const store = new MemoryStore();
  const { metrics, counts } = countingMetrics();
  const quarantined: string[] = [];
  const embeddings = new EmbeddingStore({
    store,
    metrics,
    onQuarantine: (_, reason) => quarantined.push(reason),
  });
  return { store, embeddings, counts, quarantined };
}

test('what was saved is loaded, in shared memory', async (t) => {
  const { embeddings, counts } = memoryBacked();
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    const embedding = embeddingOf('cat', 4, 8, dtype);
    const name = `cat ${dtype}`;
    t.true((await embeddings.save(hashOf(name), FINGERPRINT, embedding)).created);
    const loaded = (await embeddings.load(specOf(name)))!;
    t.deepEqual(toFloat32(loaded.embedding), toFloat32(embedding));
    t.is(loaded.embedding.dtype, dtype);
    t.true(loaded.embedding.data.buffer instanceof SharedArrayBuffer);
    t.is(loaded.tier, 'store');
  }
  t.is(counts.get('saved'), 3);
  t.is(counts.get('loaded:store'), 3);
});

test('what was never saved is a miss', async (t) => {
  const { embeddings, counts } = memoryBacked();
  t.false(await embeddings.has(specOf('cat')));
  t.is(await embeddings.load(specOf('cat')), null);
  t.is(counts.get('miss:absent'), 2);
});

test('saving twice keeps the first and reports so', async (t) => {
  const { embeddings } = memoryBacked();
  const first = await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
  const second = await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
  t.deepEqual(second, { ...first, created: false });
});

test('saving replaces something unusable in its place', async (t) => {
  const { store, embeddings } = memoryBacked();
  await store.put(KEY, Buffer.from('rubbish'));
  t.false(await embeddings.has(specOf('cat')));
  t.true((await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat'))).created);
  t.truthy(await embeddings.load(specOf('cat')));
});

const good = writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
const flipped = Uint8Array.from(good);
flipped[good.byteLength - 1]! ^= 1;

const unusable: [string, string, Uint8Array][] = [
  ['of no bytes', 'truncated', new Uint8Array(0)],
  ['cut short', 'header', good.subarray(0, good.byteLength - 1)],
  ['with one bit flipped', 'digest', flipped],
  ['of another item', 'key', writeEmbeddingFile(hashOf('dog'), FINGERPRINT, embeddingOf('cat'))],
  [
    'of another model',
    'fingerprint',
    writeEmbeddingFile(hashOf('cat'), 'other', embeddingOf('cat')),
  ],
  [
    'with fewer rows',
    'shape',
    writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat', 3)),
  ],
  [
    'of another width',
    'shape',
    writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat', 4, 9)),
  ],
  [
    'of whole numbers',
    'dtype',
    writeSafetensors({ ec_cache: { dtype: 'I32', shape: [4, 8], data: new Uint8Array(128) } }),
  ],
  [
    'with another tensor',
    'layout',
    writeSafetensors({ other: { dtype: 'F32', shape: [4, 8], data: new Uint8Array(128) } }),
  ],
  [
    'without our metadata',
    'foreign',
    writeSafetensors({ ec_cache: { dtype: 'F32', shape: [4, 8], data: new Uint8Array(128) } }),
  ],
  [
    'of a later format',
    'foreign',
    writeSafetensors(
      { ec_cache: { dtype: 'F32', shape: [4, 8], data: new Uint8Array(128) } },
      { format: 'epd-ec-3' },
    ),
  ],
];
for (const [what, reason, file] of unusable) {
  test(`an object ${what} is a counted miss, and is put aside`, async (t) => {
    const { store, embeddings, counts, quarantined } = memoryBacked();
    await store.put(KEY, file);
    t.is(await embeddings.load(specOf('cat')), null);
    t.is(counts.get(`miss:${reason}`), 1);
    t.deepEqual(quarantined, [reason]);
    t.is(await store.get(KEY), null);
    const [aside] = await Array.fromAsync(store.list('quarantine/'));
    t.regex(aside!.key, new RegExp(`^quarantine/${hashOf('cat')}/${reason}-`));
    t.is(aside!.bytes, file.byteLength);
    await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
    t.truthy(await embeddings.load(specOf('cat')));
  });
}

const firstFormat = (payload: Uint8Array, digestOf = payload): Uint8Array =>
  writeSafetensors(
    { ec_cache: { dtype: 'F32', shape: [4, 8], data: payload } },
    {
      format: 'epd-ec-1',
      mm_hash: hashOf('cat'),
      fingerprint: FINGERPRINT,
      sha256: sha256Hex(digestOf),
    },
  );

test('a file of the first format is read, and its digest is checked', async (t) => {
  const { data } = embeddingOf('cat');
  const { store, embeddings, counts } = memoryBacked();
  await store.put(KEY, firstFormat(data));
  t.deepEqual((await embeddings.load(specOf('cat')))!.embedding.data, new Uint8Array(data));
  await store.put(KEY, firstFormat(data.with(5, 1), data));
  t.is(await embeddings.load(specOf('cat')), null);
  t.is(counts.get('miss:digest'), 1);
});

test('an object larger than any embedding is removed unread', async (t) => {
  const store = new MemoryStore();
  const embeddings = new EmbeddingStore({ store, maxBytes: 1000 });
  await store.put(KEY, new Uint8Array(1001));
  t.is(await embeddings.load(specOf('cat')), null);
  t.deepEqual(await Array.fromAsync(store.list('')), []);
});

test('a bad copy in a cache is dropped and the store’s own is used', async (t) => {
  const memory = new MemoryStore();
  const durable = new MemoryStore();
  const store = new TieredStore([
    { name: 'memory', store: memory },
    { name: 'durable', store: durable },
  ]);
  const embeddings = new EmbeddingStore({ store });
  await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
  t.is((await embeddings.load(specOf('cat')))?.tier, 'memory');
  await memory.put(KEY, flipped);
  t.is((await embeddings.load(specOf('cat')))?.tier, 'durable');
  t.is((await embeddings.load(specOf('cat')))?.tier, 'memory');
  t.deepEqual(await Array.fromAsync(store.list('quarantine/')), []);
});

test('an item in a cache alone is readable here, but not there for others', async (t) => {
  const durable = new MemoryStore();
  const store = new TieredStore([
    { name: 'memory', store: new MemoryStore() },
    { name: 'durable', store: durable },
  ]);
  const embeddings = new EmbeddingStore({ store });
  await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat'));
  await durable.delete(KEY);
  t.true(await embeddings.isCached(specOf('cat')));
  t.false(await embeddings.has(specOf('cat')));
});

/** vLLM's shared-storage file, put together byte by byte as its layout is described. */
function vllmFile(dtype: string, rows: number, width: number, data: Uint8Array): Uint8Array {
  const json = `{"ec_cache":{"dtype":"${dtype}","shape":[${rows},${width}],"data_offsets":[0,${data.byteLength}]}}`;
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8, ' '));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return Buffer.concat([length, header, data]);
}

for (const dtype of ['F32', 'F16', 'BF16'] as const) {
  test(`a file in vLLM’s layout is read from its folder when foreign files are accepted: ${dtype}`, async (t) => {
    const root = await temporaryFolder(t);
    const embedding = embeddingOf('cat', 4, 8, dtype);
    await mkdir(join(root, hashOf('cat')));
    const path = join(root, hashOf('cat'), 'encoder_cache.safetensors');
    await writeFile(path, vllmFile(dtype, 4, 8, embedding.data));
    const store = new FolderStore({ root });
    const accepting = new EmbeddingStore({ store, root: '', acceptForeign: true });
    const loaded = (await accepting.load(specOf('cat')))!;
    t.deepEqual(toFloat32(loaded.embedding), toFloat32(embedding));
    t.is(await accepting.load(specOf('cat', 5)), null);
  });

  test(`a file that we write lies where vLLM looks, with the one tensor it reads: ${dtype}`, async (t) => {
    const root = await temporaryFolder(t);
    const embeddings = new EmbeddingStore({ store: new FolderStore({ root }), root: '' });
    const embedding = embeddingOf('cat', 4, 8, dtype);
    await embeddings.save(hashOf('cat'), FINGERPRINT, embedding);
    const file = await readFile(join(root, hashOf('cat'), 'encoder_cache.safetensors'));
    const headerBytes = Number(file.readBigUInt64LE());
    t.is(headerBytes % 8, 0);
    const header = JSON.parse(file.subarray(8, 8 + headerBytes).toString()) as Record<
      string,
      unknown
    >;
    t.deepEqual(Object.keys(header).toSorted(), ['__metadata__', 'ec_cache']);
    t.deepEqual(header['ec_cache'], {
      dtype,
      shape: [4, 8],
      data_offsets: [0, embedding.data.byteLength],
    });
    t.deepEqual(file.subarray(8 + headerBytes), Buffer.from(embedding.data));
  });
}

test('an embedding waits for no disk, and what a lost host leaves of it is a miss that is saved again', async (t) => {
  const root = await temporaryFolder(t);
  const store = new FolderStore({ root });
  const asked: (PutOptions | undefined)[] = [];
  const put: ObjectStore['put'] = (...[key, body, options]) => {
    asked.push(options);
    return store.put(key, body, options);
  };
  const seen = new Proxy(store, {
    get: (target, name) => (name === 'put' ? put : bound(target, name as keyof FolderStore)),
  });
  const embeddings = new EmbeddingStore({ store: seen, keepQuarantined: false });
  await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat', 4, 8, 'F32'));
  t.deepEqual(asked, [{ onlyIfAbsent: true, canBeRemade: true }]);
  await writeFile(join(root, KEY), '');
  t.is(await embeddings.load(specOf('cat')), null);
  const again = await embeddings.save(hashOf('cat'), FINGERPRINT, embeddingOf('cat', 4, 8, 'F32'));
  t.true(again.created);
  t.truthy(await embeddings.load(specOf('cat')));
});

const bound = (store: FolderStore, name: keyof FolderStore): unknown => store[name].bind(store);
