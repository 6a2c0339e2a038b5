import type { UsageEntry } from '@epd/connector';

/** Which embeddings a command is about: those that fit every part that is given. */
export interface Selection {
  /** Beginning of the `mm_hash`. */
  readonly key?: string | undefined;
  readonly model?: string | undefined;
  readonly tenant?: string | undefined;
  /** Not used for so long. */
  readonly unusedForMs?: number | undefined;
}

export function isSelected(entry: UsageEntry, selection: Selection, nowMs: number): boolean {
  const { key, model, tenant, unusedForMs } = selection;
  return (
    (key === undefined || entry.mmHash.startsWith(key)) &&
    (model === undefined || entry.model === model) &&
    (tenant === undefined || entry.tenant === tenant) &&
    (unusedForMs === undefined || nowMs - entry.lastUsedAtMs >= unusedForMs)
  );
}

export const isEverything = (selection: Selection): boolean =>
  Object.values(selection).every((part) => part === undefined);

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `15m`, `12h`, `7d`. Throws for anything else. */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined)
    throw new Error(`Not a duration such as 12h: ${text}`);
  return Number(amount) * UNIT_MS[unit]!;
}
