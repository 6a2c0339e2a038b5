import { heldBack } from './held-back.ts';

/**
 * Keeps stop strings out of a text stream, also when they arrive in pieces: text that may be the
 * start of one is held back until that is decided.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';
  #matched: string | null = null;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The stop string that was found. */
  get matched(): string | null {
    return this.#matched;
  }

  /** The released text, and whether a stop string was found; then nothing more may be pushed. */
  push(text: string): { text: string; stopped: boolean } {
    if (this.#stops.length === 0) return { text, stopped: false };
    const seen = this.#held + text;
    const at = this.#firstStop(seen);
    if (at >= 0) {
      this.#held = '';
      this.#matched = this.#stops.find((stop) => seen.startsWith(stop, at)) ?? null;
      return { text: seen.slice(0, at), stopped: true };
    }
    const safe = seen.length - heldBack(seen, this.#stops);
    this.#held = seen.slice(safe);
    return { text: seen.slice(0, safe), stopped: false };
  }

  /** The text that was held back, at the end of the stream. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  #firstStop(text: string): number {
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    return found.length === 0 ? -1 : Math.min(...found);
  }
}
