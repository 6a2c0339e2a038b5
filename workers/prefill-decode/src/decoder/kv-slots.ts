import { floatArray, type FloatArray } from './float-array.ts';
import { BLOCK_TOKENS, type KVMemory, type KVShape } from './kv-memory.ts';

/**
 * The cache in JavaScript's memory: one buffer per layer and side over [slots, kvHeads, length,
 * headDim], keys and values alternating. The runtime reads inputs where they lie, so a run over a
 * range of slots costs no copy; what is past a row's length is masked and may hold anything finite.
 */
export class KVSlots implements KVMemory {
  readonly shape: KVShape;
  slots = 0;
  length = 0;
  #buffers: FloatArray[] = [];
  readonly #blocks = new Map<number, FloatArray>();

  constructor(shape: KVShape) {
    this.shape = shape;
  }

  get sides(): number {
    return 2 * this.shape.layers;
  }

  /** Elements of one head's tokens. */
  get #head(): number {
    return this.length * this.shape.headDim;
  }

  /** The rows `first ..` of one layer's side, as [rows, kvHeads, length, headDim]. */
  view(side: number, first: number, rows: number): FloatArray {
    const row = this.shape.kvHeads * this.#head;
    return this.#buffer(side).subarray(first * row, (first + rows) * row);
  }

  /**
   * Adds `count` tokens at `at` to a slot. `source` is [rows, kvHeads, width, headDim]; the tokens are
   * those of `row` from `skip` on.
   */
  append(
    side: number,
    slot: number,
    at: number,
    source: FloatArray,
    from: {
      readonly row: number;
      readonly width: number;
      readonly skip: number;
      readonly count: number;
    },
  ): void {
    const { kvHeads, headDim } = this.shape;
    const target = this.#buffer(side);
    for (let head = 0; head < kvHeads; head++) {
      const start = ((from.row * kvHeads + head) * from.width + from.skip) * headDim;
      const piece = source.subarray(start, start + from.count * headDim);
      target.set(piece, this.#offset(slot, head, at));
    }
  }

  layout(slots: number, length: number, lengths: readonly number[]): void {
    const { kvHeads, headDim, type } = this.shape;
    const kept = Math.min(slots, this.slots);
    this.#buffers = Array.from({ length: this.sides }, (_, side) => {
      const next = floatArray(type, slots * kvHeads * length * headDim);
      for (let slot = 0; slot < kept; slot++) {
        const elements = Math.min(lengths[slot] ?? 0, length) * headDim;
        for (let head = 0; head < kvHeads; head++) {
          const start = this.#offset(slot, head, 0);
          const target = (slot * kvHeads + head) * length * headDim;
          next.set(this.#buffer(side).subarray(start, start + elements), target);
        }
      }
      return next;
    });
    this.slots = slots;
    this.length = length;
  }

  swap(a: number, lengthA: number, b: number, lengthB: number): void {
    const { kvHeads, headDim } = this.shape;
    for (let side = 0; side < this.sides; side++) {
      const buffer = this.#buffer(side);
      for (let head = 0; head < kvHeads; head++) {
        const atA = this.#offset(a, head, 0);
        const atB = this.#offset(b, head, 0);
        const heldB = lengthB > 0 ? buffer.slice(atB, atB + lengthB * headDim) : null;
        buffer.copyWithin(atB, atA, atA + lengthA * headDim);
        if (heldB) buffer.set(heldB, atA);
      }
    }
  }

  save(slot: number, from: number, blocks: readonly number[]): void {
    for (const [index, id] of blocks.entries()) {
      const block = this.#blocks.get(id) ?? floatArray(this.shape.type, this.#blockElements);
      this.#blocks.set(id, block);
      this.#eachPiece(slot, from + index * BLOCK_TOKENS, (buffer, start, at) => {
        block.set(buffer.subarray(start, start + this.#pieceElements), at);
      });
    }
  }

  restore(slot: number, blocks: readonly number[], tokens: number): void {
    for (const [index, id] of blocks.entries()) {
      const block = this.#blocks.get(id);
      if (!block) throw new RangeError(`Block ${id} is not held`);
      const first = index * BLOCK_TOKENS;
      const elements = Math.min(BLOCK_TOKENS, tokens - first) * this.shape.headDim;
      this.#eachPiece(slot, first, (buffer, start, at) => {
        buffer.set(block.subarray(at, at + elements), start);
      });
    }
  }

  drop(blocks: readonly number[]): void {
    for (const id of blocks) this.#blocks.delete(id);
  }

  /** One head's tokens of a block. */
  get #pieceElements(): number {
    return BLOCK_TOKENS * this.shape.headDim;
  }

  get #blockElements(): number {
    return this.sides * this.shape.kvHeads * this.#pieceElements;
  }

  /** Where the tokens of a block begin in each buffer and head, and where in the block. */
  #eachPiece(
    slot: number,
    token: number,
    copy: (buffer: FloatArray, start: number, at: number) => void,
  ): void {
    let at = 0;
    for (let side = 0; side < this.sides; side++) {
      for (let head = 0; head < this.shape.kvHeads; head++) {
        copy(this.#buffer(side), this.#offset(slot, head, token), at);
        at += this.#pieceElements;
      }
    }
  }

  #offset(slot: number, head: number, token: number): number {
    return (slot * this.shape.kvHeads + head) * this.#head + token * this.shape.headDim;
  }

  #buffer(side: number): FloatArray {
    const buffer = this.#buffers[side];
    if (!buffer) throw new RangeError(`The cache has no buffer ${side}: it was not laid out`);
    return buffer;
  }
}
