import type { Redis } from 'ioredis';
import { ApiError } from './errors.ts';

/** Ids read in one turn: more than most pages, and nothing that keeps Redis from others. */
const CHUNK = 200;

/**
 * The ids of an index by time, from the one after `after` on. What is deleted from the index meanwhile shifts
 * the rest: that is left to when the page is read. Throws `invalid_value` for an id that it does not have: from the
 * beginning again, who pages would never end.
 */
export async function* idsAfter(
  redis: Redis,
  index: string,
  { after, order }: { readonly after?: string | undefined; readonly order: 'asc' | 'desc' },
): AsyncIterable<string> {
  const range = (from: number): Promise<string[]> =>
    order === 'asc'
      ? redis.zrange(index, String(from), String(from + CHUNK - 1))
      : redis.zrevrange(index, from, from + CHUNK - 1);
  for (let from = after === undefined ? 0 : await rankAfter(redis, index, after, order); ;) {
    const ids = await range(from);
    yield* ids;
    if (ids.length < CHUNK) return;
    from += CHUNK;
  }
}

async function rankAfter(
  redis: Redis,
  index: string,
  id: string,
  order: 'asc' | 'desc',
): Promise<number> {
  const rank = await (order === 'asc' ? redis.zrank(index, id) : redis.zrevrank(index, id));
  if (rank !== null) return rank + 1;
  const message = `after: expected the id of an entry of this list, got ${JSON.stringify(id.slice(0, 80))}`;
  throw new ApiError('invalid_value', message, { param: 'after' });
}
