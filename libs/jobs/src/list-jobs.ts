import type { Redis } from 'ioredis';
import { PlaceError, RecordError } from './errors.ts';
import { decodeJob } from './job-codec.ts';
import type { JobKeys } from './job-keys.ts';
import type { ListOptions } from './job-store.ts';
import type { Job } from './job.ts';

/** Records read in one go: a page takes one turn, and a search for rare ones keeps nobody waiting. */
const CHUNK_MIN = 20;
const CHUNK_MAX = 200;

/** An entry of the index: ids stand in it by time of acceptance, those of one millisecond by name. */
interface Place {
  readonly id: string;
  readonly atMs: number;
}

type Order = ListOptions['order'];

/**
 * A page of a tenant's jobs, and whether more follow. Reads no more of the index than it needs. A record that
 * cannot be read hides no other. Throws `PlaceError`: from the beginning again, who pages would never end.
 */
export async function listJobs(
  redis: Redis,
  keys: JobKeys,
  { tenant, limit, after, order, status }: ListOptions,
  onUnreadable: (error: RecordError) => void,
): Promise<{ jobs: Job[]; hasMore: boolean }> {
  const key = keys.index(tenant);
  const chunk = Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, limit + 1));
  const jobs: Job[] = [];
  let last = after === undefined ? null : await placeOf(redis, key, after);
  for (;;) {
    const places = await placesAfter(redis, key, last, order, chunk);
    for (const job of await readJobs(redis, keys, places, onUnreadable)) {
      if (status !== undefined && job.status !== status) continue;
      if (jobs.length === limit) return { jobs, hasMore: true };
      jobs.push(job);
    }
    last = places.at(-1) ?? null;
    if (last === null || places.length < chunk) return { jobs, hasMore: false };
  }
}

async function placeOf(redis: Redis, key: string, id: string): Promise<Place> {
  const score = await redis.zscore(key, id);
  if (score === null) throw new PlaceError(id);
  return { id, atMs: Number(score) };
}

/** By place and not by rank: entries that come and go meanwhile shift nothing. */
async function placesAfter(
  redis: Redis,
  key: string,
  last: Place | null,
  order: Order,
  count: number,
): Promise<Place[]> {
  const tied = last === null ? 0 : await redis.zcount(key, last.atMs, last.atMs);
  const limit = ['LIMIT', 0, count + tied] as const;
  const flat =
    order === 'asc'
      ? await redis.zrangebyscore(key, last?.atMs ?? '-inf', '+inf', 'WITHSCORES', ...limit)
      : await redis.zrevrangebyscore(key, last?.atMs ?? '+inf', '-inf', 'WITHSCORES', ...limit);
  return toPlaces(flat)
    .filter((place) => last === null || isAfter(place, last, order))
    .slice(0, count);
}

function toPlaces(flat: readonly string[]): Place[] {
  const places: Place[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    places.push({ id: flat[i] ?? '', atMs: Number(flat[i + 1]) });
  }
  return places;
}

function isAfter(place: Place, last: Place, order: Order): boolean {
  const [first, second] = order === 'asc' ? [last, place] : [place, last];
  return first.atMs < second.atMs || (first.atMs === second.atMs && first.id < second.id);
}

/** Those that are there still: records expire, and are removed, before their entries go. */
async function readJobs(
  redis: Redis,
  keys: JobKeys,
  places: readonly Place[],
  onUnreadable: (error: RecordError) => void,
): Promise<Job[]> {
  const records = await Promise.all(places.map(({ id }) => redis.hgetall(keys.record(id))));
  return records.flatMap((fields, i) => {
    if (fields['status'] === undefined) return [];
    try {
      return [decodeJob(places[i]?.id ?? '', fields)];
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      onUnreadable(error);
      return [];
    }
  });
}
