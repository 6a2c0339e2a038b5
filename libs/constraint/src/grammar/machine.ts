import type { Exits } from '../vocabulary/exits.ts';
import type { LexemeMasks } from '../vocabulary/lexeme-masks.ts';
import { addTo, allow, keep, maskWords, type KeptMask, type TokenMask } from '../vocabulary/token-mask.ts';
import type { Frames } from './frames.ts';
import type { Position } from './position.ts';

/** Where an answer may stand at once; none: it has left what was agreed. */
export type State = readonly Position[];

/** A compiled constraint over a vocabulary. States are values: any number of answers share a machine. */
export class Machine {
  readonly start: State;
  readonly #frames: Frames;
  readonly #masks: LexemeMasks;

  constructor(frames: Frames, masks: LexemeMasks, start: State) {
    this.#frames = frames;
    this.#masks = masks;
    this.start = start;
  }

  isDone(state: State): boolean {
    return state.includes(this.#frames.done);
  }

  /** The state behind the bytes. */
  accept(state: State, bytes: Uint8Array): State {
    let at = state;
    for (const byte of bytes) {
      if (at.length === 0) return at;
      at = this.#frames.step(at, byte);
    }
    return at;
  }

  /** Sets the bits of the tokens that may come next, and clears the others. */
  fillMask(state: State, mask: TokenMask): void {
    mask.fill(0);
    for (const position of state) addTo(mask, (position.mask ??= this.#maskOf(position)));
  }

  #maskOf(position: Position): KeptMask {
    const mask = new Uint32Array(maskWords(this.#masks.vocabulary.tokens.length));
    const follow = position.frame.resume().filter((next) => next !== this.#frames.done);
    for (const { inside, exits } of this.#masks.of(position.lexeme)) {
      addTo(mask, inside);
      if (follow.length > 0) this.#addExits(exits, follow, mask);
    }
    return keep(mask);
  }

  /** Tokens that go on behind the end of the lexeme. */
  #addExits(exits: Exits, state: State, mask: TokenMask): void {
    for (const [byte, rest] of exits.children) {
      const next = this.#frames.step(state, byte);
      if (next.length === 0) continue;
      rest.forEachToken((id) => allow(mask, id));
      this.#addExits(rest, next, mask);
    }
  }
}
