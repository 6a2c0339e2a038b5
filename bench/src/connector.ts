import { hashing } from './connector/hashing.ts';
import { overlap } from './connector/overlap.ts';
import { BenchRedis } from './connector/redis.ts';
import { BenchS3 } from './connector/s3.ts';
import { singleFlight, type FlightTimes } from './connector/single-flight.ts';
import { storeTimes, type StoreTimes } from './connector/store-times.ts';
import type { Harness } from './harness.ts';
import type { Findings } from './report/json.ts';
import { table } from './table.ts';

/** The connector by itself: stores and tiers beside a bare S3 client, keys, single flight, overlap. */
export async function connector({ options: { full } }: Harness): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await BenchRedis.start());
  const s3 = stack.use(await BenchS3.start());
  const stores = await storeTimes(s3, full ? 3 : 1);
  const hashes = hashing(full ? 40 : 10);
  const flights = await singleFlight(redis.url, full ? 2000 : 500);
  const steps = await overlap(s3, full ? 400 : 120);
  return {
    tables: [
      storesTable(stores),
      table(
        ['hashing', 'MB/s'],
        [
          ['sha256 of an image', hashes.contentMBPerS],
          ['mm_hash, keys/s', hashes.keysPerS],
          ['tag of a stored payload', hashes.payloadMBPerS],
        ],
      ),
      flightTable(flights),
      table(
        ['decode steps, ms', 'p50', 'p99', 'max'],
        steps.map(({ name, stepMs }) => [name, stepMs.p50, stepMs.p99, stepMs.max]),
      ),
    ],
    ratios: ratiosOf(stores),
    samples: { stores, hashes, flights, steps },
    notes: [s3.note, 'ratios are the connector’s median over the bare S3 client’s, taking turns'],
  };
}

const storesTable = (stores: readonly StoreTimes[]): string =>
  table(
    ['embedding', 'through', 'put p50 ms', 'p99', 'MB/s', 'get p50 ms', 'p99', 'MB/s'],
    stores.map(({ size, through, put, get, bytes }) => [
      size,
      through,
      put?.p50 ?? null,
      put?.p99 ?? null,
      rate(bytes, put?.p50),
      get.p50,
      get.p99,
      rate(bytes, get.p50),
    ]),
  );

const rate = (bytes: number, ms: number | null | undefined): number | null =>
  ms ? bytes / 1000 / ms : null;

const flightTable = ({ alone, requests }: FlightTimes): string =>
  table(
    ['one request for an encode, ms', 'p50', 'p99'],
    [
      ['BullMQ add alone', alone.p50, alone.p99],
      ...requests.map(({ name, ms }) => [name, ms.p50, ms.p99]),
    ],
  );

function ratiosOf(stores: readonly StoreTimes[]): Record<string, number | null> {
  const of = (size: string, through: string) =>
    stores.find((each) => each.size === size && each.through === through);
  const ratios: Record<string, number | null> = {};
  for (const size of new Set(stores.map((each) => each.size))) {
    const [ours, bare] = [of(size, 's3'), of(size, 'bare s3 client')];
    ratios[`put ${size}`] = quotient(ours?.put?.p50, bare?.put?.p50);
    ratios[`get ${size}`] = quotient(ours?.get.p50, bare?.get.p50);
  }
  return ratios;
}

const quotient = (a: number | null | undefined, b: number | null | undefined): number | null =>
  a && b ? a / b : null;
