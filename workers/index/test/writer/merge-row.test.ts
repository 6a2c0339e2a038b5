import { MAX_JOBS } from '@epd/image-index';
import test from 'ava';
import * as fc from 'fast-check';
import type { ImageRow } from '../../src/table/image-row.ts';
import { deletedRow, mergeRow } from '../../src/writer/merge-row.ts';
import type { Sighting } from '../../src/writer/sighting.ts';
import { at, rowOf } from '../helpers/rows.ts';

const row = rowOf('a');
const sightings: Sighting[] = Array.from({ length: 5 }, (_, i) => ({
  id: row.id,
  tenant: row.tenant,
  model: row.model,
  fingerprint: 'f',
  mmHash: row.mmHash,
  input: {
    key: 'inputs/x',
    sha256: row.sha256,
    mediaType: 'image/png',
    bytes: 9,
    width: 2,
    height: 3,
  },
  atMs: 100 + i,
  jobId: i === 0 ? null : `job_${i}`,
  metadata: i === 0 ? {} : { [`key${i}`]: 'value' },
}));

const after = (order: readonly Sighting[]) =>
  order.reduce<ImageRow | undefined>((so, each) => mergeRow(so, each, at(0)), undefined);

test('sightings in any order, told any number of times, end in the same row', (t) => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(sightings, { minLength: 5 }),
      fc.shuffledSubarray(sightings),
      (order, again) => {
        const merged = after([...order, ...again])!;
        t.is(merged.createdAtMs, 100);
        t.deepEqual(merged.jobs.toSorted(), ['job_1', 'job_2', 'job_3', 'job_4']);
        t.is(Object.keys(merged.metadata).length, 4);
        t.is(mergeAll(merged, again), merged);
      },
    ),
    { numRuns: 30 },
  );
});

const mergeAll = (merged: ImageRow, again: readonly Sighting[]) =>
  again.reduce((so, each) => mergeRow(so, each, at(0)), merged);

test('an image remembers so many jobs, the newest first', (t) => {
  const many = Array.from({ length: MAX_JOBS + 3 }, (_, i) => ({
    ...sightings[1]!,
    jobId: `job_${i}`,
  }));
  const { jobs } = after(many)!;
  t.is(jobs.length, MAX_JOBS);
  t.is(jobs[0], `job_${MAX_JOBS + 2}`);
});

test('a deleted row says nothing of the picture, and only a later job brings it back', (t) => {
  const gone = deletedRow(
    rowOf('a', { metadata: { a: '1' }, jobs: ['job_1'], vector: at(30) }),
    500,
  );
  t.like(gone, { metadata: {}, jobs: [], deletedAtMs: 500, rev: 2 });
  t.deepEqual(gone.vector, at(0));
  t.is(mergeRow(gone, { ...sightings[0]!, atMs: 900 }, at(30)), gone);
  t.is(mergeRow(gone, { ...sightings[1]!, atMs: 500 }, at(30)), gone);
  const back = mergeRow(gone, { ...sightings[1]!, atMs: 501 }, at(30));
  t.like(back, { deletedAtMs: 0, createdAtMs: 501, jobs: ['job_1'], rev: 3 });
});
