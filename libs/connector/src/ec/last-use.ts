import type { MultiModalFeature } from './ec-connector.ts';

/**
 * For each item of a prompt, the token index from which it is no longer needed: the end of its last
 * span, because an image may occur in a prompt several times.
 */
export function lastUses(features: readonly MultiModalFeature[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { mmHash, offset, length } of features) {
    uses.set(mmHash, Math.max(uses.get(mmHash) ?? 0, offset + length));
  }
  return uses;
}
