/** Equal tokens before which an answer counts as a copy. */
const MATCH_TOKENS = 3;
/** Drafts double with every token that was predicted: a short copy costs no more than it saves. */
const GROWTH = 2;
/** Weight of the newest prediction in the hit rate: some ten of them decide. */
const NEWEST = 1 / 16;
/** Assumed before the first prediction. */
const FIRST_RATE = 0.75;
/** Share of predictions that must come true for drafts to pay: below it, copies are too short. */
const PAYING_RATE = 0.5;
/** Entries of the index by token of the prompt, of four bytes each: few replace one another. */
const ENTRIES_PER_TOKEN = 4;
const ENTRIES = { least: 1 << 12, most: 1 << 19 };

/** The upper bits of a product are the better mixed ones; enough are left for any index. */
const HASH_SHIFT = 12;

/** Where a draft ends. */
export interface DraftEnds {
  /** A draft holds none of them except as its last token: what follows would never be used. */
  readonly endIds: readonly number[];
  /** Stands for an image in a prompt and is no text: no draft holds it. */
  readonly imageTokenId: number;
}

/**
 * Prompt lookup: predicts how an answer continues from where its last tokens occurred before, in the
 * prompt or in the answer itself. It predicts every token, drafted or not, so it knows at no cost
 * whether drafts would pay, and proposes none while they would not.
 *
 * `#source` is the index of the predicted token, 0 when nothing is predicted; `#streak` counts the
 * predictions before it that came true one after another, 0 directly after a match; `#hitRate` is
 * over predictions within a streak. All tokens below `#known` are in the index, under the
 * `MATCH_TOKENS` before them.
 */
export class DraftLookup {
  readonly #tokens: readonly number[];
  readonly #ends: ReadonlySet<number>;
  readonly #imageTokenId: number;
  readonly #given: number;
  /** By hash of some tokens: the index of what followed when they occurred last; 0: never. */
  #following: Int32Array | null = null;
  #known = 0;
  #source = 0;
  #streak = 0;
  #hitRate = FIRST_RATE;

  /** `tokens` grows as the answer does; those that it has already are not predicted. */
  constructor(tokens: readonly number[], { endIds, imageTokenId }: DraftEnds) {
    this.#tokens = tokens;
    this.#ends = new Set(endIds);
    this.#imageTokenId = imageTokenId;
    this.#given = tokens.length;
  }

  /** The answer copies, and copies have paid: the next step may draft. */
  get copies(): boolean {
    return this.#streak > 0 && this.#hitRate >= PAYING_RATE;
  }

  /** The tokens have grown. */
  grown(): void {
    // Not before: a request that is queued needs no index.
    if (this.#following === null) this.#begin();
    while (this.#known < this.#tokens.length) {
      this.#check(this.#tokens[this.#known] as number);
      const match = this.#learn(this.#known + 1);
      if (this.#source === 0) this.#source = match;
    }
  }

  /** The next tokens of the copy, at most `most`; none while drafts do not pay. */
  next(most: number): number[] {
    const drafts: number[] = [];
    const count = this.copies ? Math.min(most, GROWTH * this.#streak) : 0;
    while (drafts.length < count) {
      const at = this.#source + drafts.length;
      // A text that repeats itself continues with its own continuation.
      const token = this.#tokens[at] ?? drafts[at - this.#tokens.length];
      if (token === undefined || token === this.#imageTokenId) break;
      drafts.push(token);
      if (this.#ends.has(token)) break;
    }
    return drafts;
  }

  #begin(): void {
    const size = 2 ** Math.ceil(Math.log2(ENTRIES_PER_TOKEN * this.#given));
    this.#following = new Int32Array(Math.min(Math.max(size, ENTRIES.least), ENTRIES.most));
    this.#learn(this.#given);
  }

  #check(token: number): void {
    if (this.#source === 0) return;
    const hit = this.#tokens[this.#source] === token;
    if (this.#streak > 0) this.#hitRate += NEWEST * (Number(hit) - this.#hitRate);
    this.#source = hit ? this.#source + 1 : 0;
    this.#streak = hit ? this.#streak + 1 : 0;
  }

  /** Adds the tokens before `end` to the index. Returns what followed the last ones before; 0: nothing. */
  #learn(end: number): number {
    const following = this.#following;
    if (following === null) return 0;
    let found = 0;
    for (; this.#known < end; this.#known++) {
      const next = this.#known + 1;
      if (next < MATCH_TOKENS) continue;
      const entry = this.#hashOf(next) & (following.length - 1);
      found = following[entry] as number;
      following[entry] = next;
    }
    return found > 0 && this.#isMatch(found, end) ? found : 0;
  }

  #isMatch(a: number, b: number): boolean {
    for (let back = 1; back <= MATCH_TOKENS; back++)
      if (this.#tokens[a - back] !== this.#tokens[b - back]) return false;
    return true;
  }

  /** Of the tokens before `end`. */
  #hashOf(end: number): number {
    let hash = 0;
    for (let back = 1; back <= MATCH_TOKENS; back++)
      hash = Math.imul(hash ^ (this.#tokens[end - back] as number), 0x9e3779b1);
    return hash >>> HASH_SHIFT;
  }
}
