/**
 * Keeps stop strings out of a stream of text, also where they come in pieces: text that may be the
 * beginning of one is held back until it is known.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';
  #matched: string | null = null;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The stop string that was met. */
  get matched(): string | null {
    return this.#matched;
  }

  /** What may be shown, and whether a stop string was met; then nothing more is to be pushed. */
  push(text: string): { text: string; stopped: boolean } {
    if (this.#stops.length === 0) return { text, stopped: false };
    const seen = this.#held + text;
    const at = this.#firstStop(seen);
    if (at >= 0) {
      this.#held = '';
      this.#matched = this.#stops.find((stop) => seen.startsWith(stop, at)) ?? null;
      return { text: seen.slice(0, at), stopped: true };
    }
    const safe = seen.length - this.#longestBeginning(seen);
    this.#held = seen.slice(safe);
    return { text: seen.slice(0, safe), stopped: false };
  }

  /** What was held back, now that nothing follows. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  #firstStop(text: string): number {
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    return found.length === 0 ? -1 : Math.min(...found);
  }

  /** Length of the longest end of the text with which a stop string begins. */
  #longestBeginning(text: string): number {
    const longest = Math.max(...this.#stops.map((stop) => stop.length)) - 1;
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(-length);
      if (this.#stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
