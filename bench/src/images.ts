import { COST_HEADS, indexingCost } from './images/cost.ts';
import { retrieval } from './images/retrieval.ts';
import { scaleOf } from './images/scale.ts';
import type { Harness } from './harness.ts';
import { summarize } from './percentiles.ts';
import { print, type Findings } from './report/json.ts';
import { table, type Cell } from './table.ts';

const SCENES = 100;
const SCENES_FULL = 300;
const ROWS = [1_000, 10_000, 100_000] as const;
const ROWS_FULL = [...ROWS, 300_000] as const;

/** Whether images are found again: what pooled rows tell of pictures, and how the index grows. */
export async function images(harness: Harness): Promise<Findings> {
  const { full } = harness.options;
  const scales: Cell[][] = [];
  for (const rows of full ? ROWS_FULL : ROWS) {
    scales.push(await scaleOf(rows));
    print(`rows    ${rows} done`);
  }
  const fleet = await harness.startFleet();
  const found = await retrieval((png) => embedded(fleet.url, png), full ? SCENES_FULL : SCENES);
  const cost = await indexingCost(harness);
  const searched = summarize(cost.searchMs);
  const heads = [
    'rows',
    'rows/s in',
    'maintain, s',
    'query p50, ms',
    'p99, ms',
    'recall@10',
    'MiB',
  ];
  return {
    tables: [
      table(heads, scales),
      table(['question', 'pooled rows', 'dHash'], found),
      table(COST_HEADS, cost.cpu),
      table(
        ['searches over HTTP', 'p50, ms', 'p99, ms'],
        [[searched.count, searched.p50, searched.p99]],
      ),
    ],
    ratios: {},
    samples: { scales, found, cost },
    notes: [
      ...harness.notes,
      'vectors of 576 around 500 centres; queries under a tenant of twenty',
    ],
  };
}

async function embedded(url: string, png: Buffer): Promise<Float32Array> {
  const response = await fetch(`${url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      input: { image: `data:image/png;base64,${png.toString('base64')}` },
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`/v1/embeddings answered ${response.status}: ${text}`);
  const { data } = JSON.parse(text) as { data: [{ embedding: number[] }] };
  return Float32Array.from(data[0].embedding);
}
