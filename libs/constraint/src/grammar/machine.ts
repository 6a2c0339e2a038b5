import type { Exits } from '../vocabulary/exits.ts';
import type { LexemeMasks } from '../vocabulary/lexeme-masks.ts';
import {
  addTo,
  allow,
  keep,
  maskWords,
  type KeptMask,
  type TokenMask,
} from '../vocabulary/token-mask.ts';
import type { Frames } from './frames.ts';
import type { Position } from './position.ts';

/** Where an answer may stand at once; none: it has left what was agreed. */
export type State = readonly Position[];

/** A compiled constraint over a vocabulary. States are values: any number of answers share a machine. */
export class Machine {
  readonly start: State;
  readonly #frames: Frames;
  readonly #masks: LexemeMasks;
  readonly #work: number;

  /** `work`: expressions that one mask or token may make. */
  constructor(frames: Frames, masks: LexemeMasks, start: State, work: number) {
    this.#frames = frames;
    this.#masks = masks;
    this.start = start;
    this.#work = work;
  }

  isDone(state: State): boolean {
    return state.includes(this.#frames.done);
  }

  /** Nothing may follow. */
  isOver(state: State): boolean {
    return state.length === 1 && this.isDone(state);
  }

  /** The state behind the bytes. Throws `TooComplexError`. */
  accept(state: State, bytes: Uint8Array): State {
    this.#frames.pool.budget = this.#work;
    let at = state;
    for (const byte of bytes) {
      if (at.length === 0) return at;
      at = this.#frames.step(at, byte);
    }
    return at;
  }

  /** Sets the bits of the tokens that may come next, and clears the others. Throws `TooComplexError`. */
  fillMask(state: State, mask: TokenMask): void {
    this.#frames.pool.budget = this.#work;
    mask.fill(0);
    for (const position of state) addTo(mask, this.#maskOf(position));
  }

  #maskOf(position: Position): KeptMask {
    const kept = this.#masks.ofPositions.get(position);
    if (kept) return kept;
    const made = this.#makeMask(position);
    this.#masks.ofPositions.set(position, made);
    return made;
  }

  #makeMask(position: Position): KeptMask {
    const mask = new Uint32Array(maskWords(this.#masks.vocabulary.tokens.length));
    const follow = position.frame.resume().filter((next) => next !== this.#frames.done);
    for (const { inside, exits } of this.#masks.of(position.lexeme)) {
      addTo(mask, inside);
      if (follow.length > 0) this.#addExits(exits, follow, mask);
    }
    return keep(mask);
  }

  /** Tokens that continue behind the end of the lexeme. */
  #addExits(exits: Exits, state: State, mask: TokenMask): void {
    for (const [byte, rest] of exits.children) {
      const next = this.#frames.step(state, byte);
      if (next.length === 0) continue;
      rest.forEachToken((id) => allow(mask, id));
      this.#addExits(rest, next, mask);
    }
  }
}
