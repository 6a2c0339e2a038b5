/** Tokens that are allowed, one bit each, 32 to a word. */
export type TokenMask = Uint32Array;

export const maskWords = (tokens: number): number => Math.ceil(tokens / 32);

export function allow(mask: TokenMask, id: number): void {
  mask[id >>> 5] = (mask[id >>> 5] as number) | (1 << (id & 31));
}

export function forbid(mask: TokenMask, id: number): void {
  mask[id >>> 5] = (mask[id >>> 5] as number) & ~(1 << (id & 31));
}

export const allows = (mask: TokenMask, id: number): boolean =>
  (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;

/** A mask as kept: few tokens as their ids, many as bits. */
export type KeptMask =
  | { readonly ids: Int32Array; readonly bits?: undefined }
  | { readonly bits: TokenMask };

export function keep(mask: TokenMask): KeptMask {
  const ids = allowedIds(mask, mask.length);
  return ids === null ? { bits: mask.slice() } : { ids: Int32Array.from(ids) };
}

export function addTo(mask: TokenMask, kept: KeptMask): void {
  if (kept.bits === undefined) {
    for (const id of kept.ids) allow(mask, id);
    return;
  }
  const { bits } = kept;
  for (let at = 0; at < bits.length; at++) mask[at] = (mask[at] as number) | (bits[at] as number);
}

/** Null when there are more than `most`. */
function allowedIds(mask: TokenMask, most: number): number[] | null {
  const ids: number[] = [];
  for (let at = 0; at < mask.length; at++) {
    for (let word = mask[at] as number; word !== 0; word &= word - 1) {
      if (ids.length === most) return null;
      ids.push(32 * at + 31 - Math.clz32(word & -word));
    }
  }
  return ids;
}
