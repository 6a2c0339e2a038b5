import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';
import { PlaceError, RecordError } from './errors.ts';
import { decodeJob } from './job-codec.ts';
import type { JobKeys } from './job-keys.ts';
import type { ListOptions } from './job-store.ts';
import type { Job } from './job.ts';

/**
 * Records per round trip: a page takes one, and a search for rare statuses does not block Redis.
 */
const CHUNK_MIN = 20;
const CHUNK_MAX = 200;

/**
 * Index entries whose status is checked per round trip, without reading records: about a
 * millisecond of the server's time.
 */
const SEARCHED = 1_000;

/** ARGV start of a record's key, status, id ... Returns, of each id, whether its record has the status. */
const statusScript = redisScript(`
local found = {}
for at = 3, #ARGV do
  found[at - 2] = redis.call('HGET', ARGV[1] .. ARGV[at], 'status') == ARGV[2] and 1 or 0
end
return found`);

/** An entry of the index: ids in order of acceptance time, then by name. */
interface Place {
  readonly id: string;
  readonly atMs: number;
}

type Order = ListOptions['order'];

/**
 * A page of a tenant's jobs, and whether more follow. Reads only as much of the index as needed.
 * Skips a record that cannot be read. Throws `PlaceError` for an unknown `after`: starting over
 * would make a client page for ever.
 */
export async function listJobs(
  redis: Redis,
  keys: JobKeys,
  { tenant, limit, after, order, status }: ListOptions,
  onUnreadable: (error: RecordError) => void,
): Promise<{ jobs: Job[]; hasMore: boolean }> {
  const key = keys.index(tenant);
  const atOnce = Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, limit + 1));
  const chunk = status === undefined ? atOnce : SEARCHED;
  const jobs: Job[] = [];
  let last = after === undefined ? null : await placeOf(redis, key, after);
  for (;;) {
    const places = await placesAfter(redis, key, last, order, chunk);
    const wanted = status === undefined ? places : await withStatus(redis, keys, places, status);
    for (let at = 0; at < wanted.length; at += atOnce) {
      const read = await readJobs(redis, keys, wanted.slice(at, at + atOnce), onUnreadable);
      // A status may have changed since it was checked.
      jobs.push(...read.filter((job) => status === undefined || job.status === status));
      if (jobs.length > limit) return { jobs: jobs.slice(0, limit), hasMore: true };
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

/** By score and not by rank, so that concurrent inserts and removals shift nothing. */
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

/**
 * The entries whose record has the status, so that a search for rare ones reads only those records.
 */
async function withStatus(
  redis: Redis,
  keys: JobKeys,
  places: readonly Place[],
  status: string,
): Promise<readonly Place[]> {
  if (places.length === 0) return [];
  const args = [keys.record(''), status, ...places.map(({ id }) => id)];
  const found = (await statusScript(redis, [], args)) as number[];
  return places.filter((_, at) => found[at] === 1);
}

/** The records that still exist: records expire or are removed before their index entries. */
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
