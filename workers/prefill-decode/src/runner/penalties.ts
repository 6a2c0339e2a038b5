import type { OpenSequence } from './messages.ts';

/**
 * The token counts that a sequence's penalties need. The repetition penalty uses prompt and answer,
 * the presence and frequency penalties only the answer, as in vLLM.
 */
export class Penalties {
  readonly #sampling: OpenSequence['sampling'];
  readonly #seen: Set<number>;
  readonly #counts = new Map<number, number>();

  constructor(open: OpenSequence) {
    this.#sampling = open.sampling;
    this.#seen = new Set(this.#repetition ? open.prompt : []);
    for (const id of open.generated) this.add(id);
  }

  get active(): boolean {
    const { presencePenalty, frequencyPenalty } = this.#sampling;
    return this.#repetition || presencePenalty !== 0 || frequencyPenalty !== 0;
  }

  get #repetition(): boolean {
    return this.#sampling.repetitionPenalty !== 1;
  }

  add(id: number): void {
    if (!this.active) return;
    if (this.#repetition) this.#seen.add(id);
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  /** Changes the logits in place. */
  apply(logits: Float32Array): void {
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = this.#sampling;
    for (const id of this.#seen) {
      const value = logits[id] ?? 0;
      logits[id] = value > 0 ? value / repetitionPenalty : value * repetitionPenalty;
    }
    for (const [id, count] of this.#counts) {
      logits[id] = (logits[id] ?? 0) - presencePenalty - frequencyPenalty * count;
    }
  }
}
