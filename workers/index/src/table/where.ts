import type { ImageFilter } from '@epd/image-index';
import { metadataTag } from './image-row.ts';

export interface Selection {
  readonly tenant: string;
  readonly filter: ImageFilter;
  /** These are left out. */
  readonly exceptIds?: readonly string[];
}

/**
 * The condition that a query stands under, as SQL. Every literal in it is a number, an id, a tenant's name
 * or a digest, each checked for its alphabet: there is nothing to escape, and no filter can widen the
 * condition on the tenant. Throws `TypeError` for any other text.
 */
export function whereOf({ tenant, filter, exceptIds = [] }: Selection): string {
  const { createdFromMs, createdBeforeMs, metadata = {} } = filter;
  return [
    `owner = ${word(tenant)}`,
    ...(createdFromMs === undefined ? [] : [`created_at_ms >= ${number(createdFromMs)}`]),
    ...(createdBeforeMs === undefined ? [] : [`created_at_ms < ${number(createdBeforeMs)}`]),
    ...Object.entries(metadata).map(([key, values]) => hasAny(key, values)),
    ...(exceptIds.length === 0 ? [] : [`id NOT IN (${words(exceptIds)})`]),
  ].join(' AND ');
}

export const idsWhere = (ids: readonly string[]): string => `id IN (${words(ids)})`;
export const hashesWhere = (hashes: readonly string[]): string => `mm_hash IN (${words(hashes)})`;

/** Rows that come after one in the order of time, ids breaking ties. */
export function afterWhere(
  { createdAtMs, id }: { readonly createdAtMs: number; readonly id: string },
  order: 'asc' | 'desc',
): string {
  const than = order === 'asc' ? '>' : '<';
  const at = number(createdAtMs);
  return `(created_at_ms ${than} ${at} OR (created_at_ms = ${at} AND id ${than} ${word(id)}))`;
}

function hasAny(key: string, values: readonly string[]): string {
  const tags = values.map((value) => metadataTag(key, value));
  return tags.length === 0 ? 'false' : `array_has_any(tags, [${words(tags)}])`;
}

const words = (all: readonly string[]): string => all.map(word).join(', ');

function word(text: string): string {
  if (!/^[a-z0-9_-]{1,128}$/.test(text))
    throw new TypeError(
      `Not a word that may stand in a query: ${JSON.stringify(text.slice(0, 80))}`,
    );
  return `'${text}'`;
}

function number(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`Not a number: ${value}`);
  return value.toFixed(3);
}
