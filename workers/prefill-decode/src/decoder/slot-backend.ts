import type { ForwardRun } from './decoder-graph.ts';
import type { KVAbilities, KVBackend } from './kv-backend.ts';
import { KVSlots } from './kv-slots.ts';
import type { KVShape } from './kv-shape.ts';

/** A backend whose cache is in JavaScript memory; the subclass runs the graph. */
export abstract class SlotBackend implements KVBackend {
  readonly abilities: KVAbilities;
  protected readonly slots: KVSlots;

  protected constructor(shape: KVShape) {
    this.slots = new KVSlots(shape);
    this.abilities = { restoresPrefixes: true, layoutShare: this.slots.layoutShare };
  }

  abstract forward(run: ForwardRun): Promise<Float32Array>;

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
