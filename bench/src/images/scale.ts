import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// The bench looks at the index by itself, which no service may.
// oxlint-disable-next-line no-restricted-imports
import { ImageTables, type ImageRow } from '@epd/index/table';
import { summarize } from '../percentiles.ts';
import { uniform } from '../random.ts';
import type { Cell } from '../table.ts';

const WIDTH = 576;
const TENANTS = 20;
/** Vectors lie around centres, as those of real pictures do. */
const CENTRES = 500;
const SPREAD = 0.6;
const BATCH = 2_000;
const QUERIES = 60;
const COMPARED = 30;
const HITS = 10;

/** A table of so many rows: rows a second, query times and recall under a tenant's filter, memory. */
export async function scaleOf(rows: number): Promise<Cell[]> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-bench-index-'));
  try {
    const tables = await ImageTables.connect({ kind: 'folder', root: folder }, folder);
    const table = await tables.make('bench', WIDTH);
    const vectors = vectorsOf(3);
    const insertS = await seconds(async () => {
      for (let at = 0; at < rows; at += BATCH)
        await table.upsert(batchOf(at, Math.min(BATCH, rows - at), vectors));
    });
    const maintainS = await seconds(() => table.maintain());
    const queries = Array.from({ length: QUERIES }, vectors);
    const selection = { tenant: 't-3', filter: {} };
    const times: number[] = [];
    let found = 0;
    for (const [i, query] of queries.entries()) {
      const beganMs = performance.now();
      const hits = await table.query(query, selection, HITS);
      times.push(performance.now() - beganMs);
      if (i >= COMPARED) continue;
      const exact = await table.query(query, selection, HITS, { exact: true });
      const ids = new Set(exact.map(({ id }) => id));
      found += hits.filter(({ id }) => ids.has(id)).length;
    }
    const { p50, p99 } = summarize(times);
    const recall = found / (COMPARED * HITS);
    const mib = process.memoryUsage().rss / 2 ** 20;
    tables.close();
    return [rows, Math.round(rows / insertS), maintainS, p50, p99, recall, Math.round(mib)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function batchOf(from: number, count: number, vectors: () => Float32Array): ImageRow[] {
  return Array.from({ length: count }, (_, i) => {
    const id = (from + i).toString(16).padStart(32, '0');
    return {
      id: `img_${id}`,
      tenant: `t-${(from + i) % TENANTS}`,
      model: 'bench',
      mmHash: id.repeat(2),
      sha256: id.repeat(2),
      mediaType: 'image/png',
      bytes: 100_000,
      width: 512,
      height: 512,
      createdAtMs: from + i,
      deletedAtMs: 0,
      metadata: { album: `album ${i % 7}` },
      jobs: [],
      rev: 1,
      vector: vectors(),
    };
  });
}

function vectorsOf(seed: number): () => Float32Array {
  const next = uniform(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const centres = Array.from({ length: CENTRES }, () =>
    Float32Array.from({ length: WIDTH }, normal),
  );
  return () => {
    const centre = centres[Math.floor(next() * CENTRES)]!;
    const vector = centre.map((value) => value + SPREAD * normal());
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1000;
}
