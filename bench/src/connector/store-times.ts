import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  BoundedStore,
  EmbeddingStore,
  FolderStore,
  MemoryStore,
  TieredStore,
  type Embedding,
  type EmbeddingSpec,
  type ObjectStore,
} from '@epd/connector';
import { summarize, type Summary } from '../percentiles.ts';
import { FINGERPRINT, SIZES, embeddingOf, freshSpec } from './embeddings.ts';
import type { BenchS3 } from './s3.ts';

export interface StoreTimes {
  readonly size: string;
  readonly bytes: number;
  readonly through: string;
  /** Null where nobody puts: a cache is filled by reads. */
  readonly put: Summary | null;
  readonly get: Summary;
}

interface Way {
  readonly through: string;
  readonly putsMatter: boolean;
  put(spec: EmbeddingSpec, embedding: Embedding): Promise<unknown>;
  get(spec: EmbeddingSpec): Promise<unknown>;
  forget(spec: EmbeddingSpec): Promise<void>;
}

/** Bytes moved per way and size; the rounds follow from it. */
const ROUND_BYTES = 40_000_000;
const WARM_UP = 3;
/** From here on the memory that was used up before is a good part of what is measured. */
const LARGE_BYTES = 8_000_000;
const CACHE_BYTES = 2 ** 28;

/** Every way is measured in every round, so that a slow moment affects all alike. */
export async function storeTimes(s3: BenchS3, effort: number): Promise<StoreTimes[]> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-bench-store-'));
  const results: StoreTimes[] = [];
  try {
    for (const [size, rows] of Object.entries(SIZES)) {
      results.push(...(await timesOf(size, rows, waysOf(s3, folder), effort)));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return results;
}

async function timesOf(
  size: string,
  rows: number,
  ways: readonly Way[],
  effort: number,
): Promise<StoreTimes[]> {
  const embedding = embeddingOf(rows);
  const bytes = embedding.data.byteLength;
  const rounds = WARM_UP + effort * Math.min(100, Math.max(12, Math.round(ROUND_BYTES / bytes)));
  const samples = ways.map(() => ({ put: [] as number[], get: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const index of rotated(ways.length, round)) {
      const way = ways[index];
      if (!way) continue;
      const spec = freshSpec(rows);
      if (bytes >= LARGE_BYTES) collectGarbage();
      const put = await timed(() => way.put(spec, embedding));
      if (bytes >= LARGE_BYTES) collectGarbage();
      const get = await timed(() => way.get(spec));
      await way.forget(spec);
      if (round < WARM_UP) continue;
      samples[index]?.put.push(put);
      samples[index]?.get.push(get);
    }
  }
  return ways.map(({ through, putsMatter }, index) => ({
    size,
    bytes,
    through,
    put: putsMatter ? summarize(samples[index]?.put ?? []) : null,
    get: summarize(samples[index]?.get ?? []),
  }));
}

/** Everybody comes first, and after everybody else, as often. */
const rotated = (count: number, by: number): number[] =>
  Array.from({ length: count }, (_, index) => (index + by) % count);

const waysOf = (s3: BenchS3, folder: string): Way[] => [
  bareS3(s3),
  wayThrough('s3', s3.store()),
  wayThrough('folder', new FolderStore({ root: join(folder, 'folder') })),
  wayThrough('memory', new MemoryStore({ maxBytes: CACHE_BYTES })),
  cached('s3 behind memory', s3.store(), new MemoryStore({ maxBytes: CACHE_BYTES })),
  cached(
    's3 behind local disk',
    s3.store(),
    new BoundedStore(new FolderStore({ root: join(folder, 'disk'), durable: false }), CACHE_BYTES),
  ),
];

function bareS3({ bare, bucket }: BenchS3): Way {
  const target = ({ mmHash }: EmbeddingSpec) => ({ Bucket: bucket, Key: `bare/${mmHash}` });
  return {
    through: 'bare s3 client',
    putsMatter: true,
    put: (spec, { data }) => bare.send(new PutObjectCommand({ ...target(spec), Body: data })),
    get: async (spec) => {
      const { Body } = await bare.send(new GetObjectCommand(target(spec)));
      return Body?.transformToByteArray();
    },
    forget: async () => {},
  };
}

function wayThrough(name: string, store: ObjectStore, putsMatter = true): Way {
  const embeddings = new EmbeddingStore({ store });
  return {
    through: name,
    putsMatter,
    put: ({ mmHash }, embedding) => embeddings.save(mmHash, FINGERPRINT, embedding),
    get: async (spec) => {
      if (!(await embeddings.load(spec))) throw new Error(`${name} lost an embedding`);
    },
    forget: ({ mmHash }) => embeddings.delete(mmHash),
  };
}

/** Writing goes through every tier; what is read comes from the cache. */
const cached = (name: string, store: ObjectStore, cache: ObjectStore): Way =>
  wayThrough(
    name,
    new TieredStore([
      { name: 'cache', store: cache },
      { name: 's3', store },
    ]),
    false,
  );

/** Nobody is to pay for the memory that another has used up. */
const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}
