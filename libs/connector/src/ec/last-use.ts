import type { MultiModalFeature } from './ec-connector.ts';

/**
 * For each item of a prompt, the token index from which on it is needed no more: the end of the last
 * span that shows it, for an image may stand in a prompt several times.
 */
export function lastUses(features: readonly MultiModalFeature[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { mmHash, offset, length } of features) {
    uses.set(mmHash, Math.max(uses.get(mmHash) ?? 0, offset + length));
  }
  return uses;
}
