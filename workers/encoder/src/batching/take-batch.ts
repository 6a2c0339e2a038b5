/** What waits to be encoded. */
export interface BatchItem {
  /** Visual tokens: what the item costs. */
  readonly tokens: number;
  /** It has brought an encoder down before, or may have: nobody else is put at risk with it. */
  readonly alone: boolean;
}

export interface BatchLimits {
  /** Budget of visual tokens. An item that is larger is encoded by itself. */
  readonly tokensMax: number;
  readonly itemsMax: number;
}

/** How many items, from the front of the queue, go together now. At least 1 when there are any. */
export function batchSize(waiting: readonly BatchItem[], limits: BatchLimits): number {
  let tokens = 0;
  for (const [index, item] of waiting.entries()) {
    tokens += item.tokens;
    const fits = !item.alone && tokens <= limits.tokensMax && index < limits.itemsMax;
    if (!fits) return Math.max(index, 1);
  }
  return waiting.length;
}
