import { floatArray, isFinite, type FloatArray, type FloatType } from './float-array.ts';
import { BLOCK_TOKENS } from './kv-backend.ts';
import { attentionStates, type AttentionState, type KVShape } from './kv-shape.ts';

/** Which tokens of a run's output, [rows, kvHeads, width, headDim]: those of `row` from `skip` on. */
export interface NewTokens {
  readonly row: number;
  readonly width: number;
  readonly skip: number;
  readonly count: number;
}

type Allocate = (type: FloatType, length: number) => FloatArray;

/**
 * The cache in JavaScript's memory: one buffer per side (keys of the first layer, its values, keys of
 * the next, …) over [slots, kvHeads, length, headDim]. The runtime reads inputs in place, so a run
 * over a range of slots needs no copy; values past a row's length are masked and may be anything
 * finite.
 */
export class KVSlots {
  slots = 0;
  length = 0;
  readonly #sides: readonly AttentionState[];
  readonly #allocate: Allocate;
  readonly #buffers: FloatArray[] = [];
  /** By id: one piece per side, consecutive. */
  readonly #blocks = new Map<number, readonly FloatArray[]>();

  /** Throws `TypeError` for a shape with states other than keys and values. */
  constructor(shape: KVShape, allocate: Allocate = floatArray) {
    const states = attentionStates(shape);
    if (states.length < shape.length) {
      throw new TypeError('Slots hold only keys and values; the decoder has other states');
    }
    this.#sides = states.flatMap((state) => [state, state]);
    this.#allocate = allocate;
  }

  get sides(): number {
    return this.#sides.length;
  }

  /** `layout` copies one side at a time: the share of the largest side. */
  get layoutShare(): number {
    const sizes = this.#sides.map(tokenElements);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    return all === 0 ? 0 : Math.max(...sizes) / all;
  }

  state(side: number): AttentionState {
    const state = this.#sides[side];
    if (!state) throw new RangeError(`The cache has no side ${side}`);
    return state;
  }

  /** The rows `first ..` of one side, as [rows, kvHeads, length, headDim]. */
  view(side: number, first: number, rows: number): FloatArray {
    const row = tokenElements(this.state(side)) * this.length;
    return this.#buffer(side).subarray(first * row, (first + rows) * row);
  }

  /** Adds tokens at `at` to a slot. Whoever adds has seen that they are finite. */
  append(side: number, slot: number, at: number, source: FloatArray, from: NewTokens): void {
    const { kvHeads, headDim } = this.state(side);
    const target = this.#buffer(side);
    for (let head = 0; head < kvHeads; head++) {
      const piece = pieceOf(source, from, head, { kvHeads, headDim });
      target.set(piece, this.#offset(side, slot, head, at));
    }
  }

  /** Whether the tokens that `append` would add are numbers. */
  isFinite(side: number, source: FloatArray, from: NewTokens): boolean {
    const { kvHeads, headDim } = this.state(side);
    for (let head = 0; head < kvHeads; head++) {
      if (!isFinite(pieceOf(source, from, head, { kvHeads, headDim }))) return false;
    }
    return true;
  }

  /**
   * Frees each side's old buffer before it allocates the next: memory has room for one extra side,
   * not for all.
   */
  layout(slots: number, length: number, lengths: readonly number[]): void {
    const kept = Math.min(slots, this.slots);
    for (const [side, state] of this.#sides.entries()) {
      const next = this.#allocate(state.type, slots * tokenElements(state) * length);
      for (let slot = 0; slot < kept; slot++) {
        const elements = Math.min(lengths[slot] ?? 0, length) * state.headDim;
        for (let head = 0; head < state.kvHeads; head++) {
          const start = this.#offset(side, slot, head, 0);
          const target = (slot * state.kvHeads + head) * length * state.headDim;
          next.set(this.#buffer(side).subarray(start, start + elements), target);
        }
      }
      free(this.#buffers[side]);
      this.#buffers[side] = next;
    }
    this.slots = slots;
    this.length = length;
  }

  swap(a: number, lengthA: number, b: number, lengthB: number): void {
    for (const [side, { kvHeads, headDim }] of this.#sides.entries()) {
      const buffer = this.#buffer(side);
      for (let head = 0; head < kvHeads; head++) {
        const atA = this.#offset(side, a, head, 0);
        const atB = this.#offset(side, b, head, 0);
        const heldB = lengthB > 0 ? buffer.slice(atB, atB + lengthB * headDim) : null;
        buffer.copyWithin(atB, atA, atA + lengthA * headDim);
        if (heldB) buffer.set(heldB, atA);
      }
    }
  }

  save(slot: number, from: number, blocks: readonly number[]): void {
    for (const [index, id] of blocks.entries()) {
      const pieces = this.#blocks.get(id) ?? this.#sides.map((state) => this.#newPiece(state));
      this.#blocks.set(id, pieces);
      this.#eachHead(
        pieces,
        slot,
        from + index * BLOCK_TOKENS,
        ({ buffer, start, piece, at, dim }) => {
          piece.set(buffer.subarray(start, start + BLOCK_TOKENS * dim), at);
        },
      );
    }
  }

  restore(slot: number, blocks: readonly number[], tokens: number): void {
    for (const [index, id] of blocks.entries()) {
      const pieces = this.#blocks.get(id);
      if (!pieces) throw new RangeError(`Block ${id} is not held`);
      const first = index * BLOCK_TOKENS;
      const count = Math.min(BLOCK_TOKENS, tokens - first);
      this.#eachHead(pieces, slot, first, ({ buffer, start, piece, at, dim }) => {
        buffer.set(piece.subarray(at, at + count * dim), start);
      });
    }
  }

  drop(blocks: readonly number[]): void {
    for (const id of blocks) {
      this.#blocks.get(id)?.forEach(free);
      this.#blocks.delete(id);
    }
  }

  #newPiece(state: AttentionState): FloatArray {
    return this.#allocate(state.type, tokenElements(state) * BLOCK_TOKENS);
  }

  /**
   * Offsets of a block's tokens per side and head: in the slot's buffer, and in the block's piece.
   */
  #eachHead(
    pieces: readonly FloatArray[],
    slot: number,
    token: number,
    copy: (place: {
      readonly buffer: FloatArray;
      readonly start: number;
      readonly piece: FloatArray;
      readonly at: number;
      readonly dim: number;
    }) => void,
  ): void {
    for (const [side, piece] of pieces.entries()) {
      const { kvHeads, headDim: dim } = this.state(side);
      const buffer = this.#buffer(side);
      for (let head = 0; head < kvHeads; head++) {
        const start = this.#offset(side, slot, head, token);
        copy({ buffer, start, piece, at: head * BLOCK_TOKENS * dim, dim });
      }
    }
  }

  #offset(side: number, slot: number, head: number, token: number): number {
    const { kvHeads, headDim } = this.state(side);
    return ((slot * kvHeads + head) * this.length + token) * headDim;
  }

  #buffer(side: number): FloatArray {
    const buffer = this.#buffers[side];
    if (!buffer) throw new RangeError(`The cache has no buffer ${side}: it was not laid out`);
    return buffer;
  }
}

/** The tokens of one head, which lie together. */
function pieceOf(
  source: FloatArray,
  { row, width, skip, count }: NewTokens,
  head: number,
  { kvHeads, headDim }: Pick<AttentionState, 'kvHeads' | 'headDim'>,
): FloatArray {
  const start = ((row * kvHeads + head) * width + skip) * headDim;
  return source.subarray(start, start + count * headDim);
}

const tokenElements = ({ kvHeads, headDim }: AttentionState): number => kvHeads * headDim;

/**
 * Frees the memory at once instead of at the next garbage collection: the budget counts allocated
 * memory, used or not.
 */
const free = (array: FloatArray | undefined): void => void array?.buffer.transfer(0);
