import type { ObjectNode } from './grammar.ts';

/** Which keys an object has so far. */
export interface ObjectProgress {
  /** Bit `i`: the named key `i` is there, or can no longer come. */
  readonly seen: bigint;
  /** Members; no further than it makes a difference. */
  readonly count: number;
}

export const EMPTY_OBJECT: ObjectProgress = { seen: 0n, count: 0 };

export const canClose = (object: ObjectNode, progress: ObjectProgress): boolean =>
  needed(object, progress) === 0;

export const mayTake = (object: ObjectNode, progress: ObjectProgress): boolean =>
  object.keys.some((_, index) => choose(object, progress, index) !== null);

/** The object with key `index` added; null where that key must not come next. */
export function choose(
  object: ObjectNode,
  progress: ObjectProgress,
  index: number,
): ObjectProgress | null {
  const key = object.keys[index];
  if (!key) return null;
  if (key.named && has(progress, index)) return null;
  if (object.ordered && passesRequired(object, progress, index)) return null;
  const next = { seen: seenWith(object, progress, index), count: progress.count + 1 };
  if (next.count + needed(object, next) > object.max) return null;
  return { seen: next.seen, count: counted(object, next.count) };
}

const has = ({ seen }: ObjectProgress, index: number): boolean =>
  ((seen >> BigInt(index)) & 1n) === 1n;

/** In the order of the schema, what was passed over cannot come any more. */
function seenWith(object: ObjectNode, { seen }: ObjectProgress, index: number): bigint {
  const named = object.keys[index]?.named === true;
  if (!object.ordered) return named ? seen | (1n << BigInt(index)) : seen;
  return seen | ((1n << BigInt(named ? index + 1 : object.keys.length)) - 1n);
}

const passesRequired = (object: ObjectNode, progress: ObjectProgress, index: number): boolean =>
  object.keys.some(
    ({ required, named }, at) =>
      required &&
      !has(progress, at) &&
      (at < index || object.keys[index]?.named === false) &&
      named,
  );

/** Members that must still come. Of keys that are not named the same one may come again: they do not count. */
function needed(object: ObjectNode, progress: ObjectProgress): number {
  let missing = 0;
  let seen = 0;
  for (const [index, { named, required }] of object.keys.entries()) {
    if (!named) continue;
    if (has(progress, index)) seen++;
    else if (required) missing++;
  }
  const have = object.min > 1 ? seen : progress.count;
  return Math.max(missing, object.min - have, 0);
}

function counted(object: ObjectNode, count: number): number {
  return object.max === Number.POSITIVE_INFINITY ? Math.min(count, 1) : count;
}
