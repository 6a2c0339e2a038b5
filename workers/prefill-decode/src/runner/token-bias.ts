import type { OpenSequence } from './messages.ts';

/**
 * A request's settings for single tokens: logit biases, and `min_tokens`, before which nothing ends
 * the answer. Applied before penalties, as in vLLM.
 */
export class TokenBias {
  readonly #biases: readonly (readonly [id: number, by: number])[];
  readonly #endIds: readonly number[];
  readonly #minTokens: number;

  constructor({ sampling, endIds }: OpenSequence) {
    this.#biases = sampling.logitBias ?? [];
    this.#minTokens = sampling.minTokens ?? 0;
    this.#endIds = endIds;
  }

  /**
   * Changes the logits of the answer's token `position`, counted from 0, in place. Ignores ids past
   * the vocabulary.
   */
  apply(logits: Float32Array, position: number): void {
    for (const [id, by] of this.#biases) {
      if (id < logits.length) logits[id] = (logits[id] as number) + by;
    }
    if (position >= this.#minTokens) return;
    for (const id of this.#endIds) {
      if (id < logits.length) logits[id] = Number.NEGATIVE_INFINITY;
    }
  }
}
