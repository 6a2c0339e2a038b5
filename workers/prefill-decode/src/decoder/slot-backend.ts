import type { ForwardRun } from './decoder-graph.ts';
import type { KVAbilities, KVBackend } from './kv-backend.ts';
import type { FloatArray } from './float-array.ts';
import { KVSlots, type NewTokens } from './kv-slots.ts';
import type { KVShape } from './kv-shape.ts';

/** Keys and values of the last layer, from the end. */
const LAST_SIDES = [-2, -1];

/** A backend whose cache is in JavaScript memory; the subclass runs the graph. */
export abstract class SlotBackend implements KVBackend {
  readonly abilities: KVAbilities;
  protected readonly slots: KVSlots;

  protected constructor(shape: KVShape) {
    this.slots = new KVSlots(shape);
    this.abilities = { restoresPrefixes: true, layoutShare: this.slots.layoutShare };
  }

  #overflown: ReadonlySet<number> = new Set();

  get overflown(): ReadonlySet<number> {
    return this.#overflown;
  }

  abstract forward(run: ForwardRun): Promise<Float32Array>;

  /** Stores the new tokens of each row; `slicesOf` has those of a side, where `placeOf` says. */
  protected store(
    run: ForwardRun,
    slicesOf: (side: number) => FloatArray,
    placeOf: (row: number) => { readonly width: number; readonly skip: number },
  ): void {
    const sides = Array.from({ length: this.slots.sides }, (_, side) => slicesOf(side));
    const overflown = new Set<number>();
    for (let row = 0; row < run.rows; row++) {
      const count = run.count[row] ?? 0;
      if (count === 0) continue;
      const from = { row, count, ...placeOf(row) };
      if (!this.#isFinite(sides, from)) overflown.add(row);
      else
        for (const [side, slices] of sides.entries())
          this.slots.append(side, run.firstSlot + row, run.past[row] ?? 0, slices, from);
    }
    this.#overflown = overflown;
  }

  /** What overflows in one layer reaches the last, which is looked at: a thousandth of a run's time. */
  #isFinite(sides: readonly FloatArray[], from: NewTokens): boolean {
    return LAST_SIDES.every((back) => {
      const slices = sides.at(back);
      return slices === undefined || this.slots.isFinite(sides.length + back, slices, from);
    });
  }

  async layout(slots: number, length: number, lengths: readonly number[]): Promise<void> {
    this.slots.layout(slots, length, lengths);
  }

  async swap(a: number, lengthA: number, b: number, lengthB: number): Promise<void> {
    this.slots.swap(a, lengthA, b, lengthB);
  }

  async save(slot: number, from: number, blocks: readonly number[]): Promise<void> {
    this.slots.save(slot, from, blocks);
  }

  async restore(slot: number, blocks: readonly number[], tokens: number): Promise<void> {
    this.slots.restore(slot, blocks, tokens);
  }

  async drop(blocks: readonly number[]): Promise<void> {
    this.slots.drop(blocks);
  }
}
