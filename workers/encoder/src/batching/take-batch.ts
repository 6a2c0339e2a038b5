/** An item that is queued for encoding. */
export interface BatchItem {
  /** Visual tokens: the cost of the item. */
  readonly tokens: number;
  /**
   * It crashed an encoder before, or may have: it is encoded without other items, so that none is
   * at risk.
   */
  readonly alone: boolean;
}

export interface BatchLimits {
  /** Budget of visual tokens. An item that is larger is encoded by itself. */
  readonly tokensMax: number;
  readonly itemsMax: number;
}

/**
 * How many items, from the front of the queue, form the next batch. At least 1 when there are any.
 */
export function batchSize(waiting: readonly BatchItem[], limits: BatchLimits): number {
  let tokens = 0;
  for (const [index, item] of waiting.entries()) {
    tokens += item.tokens;
    const fits = !item.alone && tokens <= limits.tokensMax && index < limits.itemsMax;
    if (!fits) return Math.max(index, 1);
  }
  return waiting.length;
}
