import type { KVOperation } from '../../runner/messages.ts';
import type { MemoryPlan } from './memory-plan.ts';
import type { PrefixCache } from './prefix-cache.ts';
import type { Sequence } from '../sequences/sequence.ts';

/**
 * The owners of the slots. Every change of the cache is recorded as an operation, in order, and the
 * runner carries it out before the next step's runs; `length` is the capacity of every slot.
 */
export class Slots {
  readonly #plan: MemoryPlan;
  readonly #prefixes: PrefixCache;
  #owners: (Sequence | null)[] = [];
  #operations: KVOperation[] = [];
  readonly #cachedPrefix = new WeakMap<Sequence, { version: number; tokens: number }>();
  length = 0;

  constructor(plan: MemoryPlan, prefixes: PrefixCache) {
    this.#plan = plan;
    this.#prefixes = prefixes;
  }

  get count(): number {
    return this.#owners.length;
  }

  get used(): number {
    return this.#owners.filter((owner) => owner !== null).length;
  }

  takeOperations(): KVOperation[] {
    const operations = this.#operations;
    this.#operations = [];
    return operations;
  }

  /**
   * Sets the capacity of every slot to `length` tokens. At most `slotsAt(length)` sequences may
   * have slots.
   */
  layout(length: number): void {
    const count = this.#plan.slotsAt(length);
    this.#moveBelow(count);
    const lengths = this.#owners.map((owner) => owner?.computed ?? 0);
    const dropped = this.#prefixes.resize(this.#plan.blocksAt(length));
    if (dropped.length > 0) this.#operations.push({ op: 'drop', blocks: dropped });
    this.#operations.push({ op: 'layout', slots: count, length, lengths });
    this.#owners = Array.from({ length: count }, (_, slot) => this.#owners[slot] ?? null);
    this.length = length;
  }

  /**
   * Tokens of the sequence that an allocation would restore from cached blocks. Memoized until the
   * prefix cache changes.
   */
  cachedPrefixTokens(sequence: Sequence): number {
    const { version } = this.#prefixes;
    const known = this.#cachedPrefix.get(sequence);
    if (known?.version === version) return known.tokens;
    const { tokens } = this.#prefixes.match(sequence);
    this.#cachedPrefix.set(sequence, { version, tokens });
    return tokens;
  }

  /** Gives the sequence the lowest free slot, with its cached prefix restored. */
  allocate(sequence: Sequence): void {
    const slot = this.#owners.indexOf(null);
    if (slot < 0) throw new RangeError('No slot is free');
    const { blocks, tokens } = this.#prefixes.match(sequence);
    this.#prefixes.touch(sequence);
    if (tokens > 0) this.#operations.push({ op: 'restore', slot, blocks, tokens });
    this.#owners[slot] = sequence;
    sequence.slot = slot;
    sequence.computed = tokens;
    sequence.cached = tokens;
  }

  /** Copies the sequence's whole blocks to the prefix cache, except those that it holds already. */
  cacheBlocks(sequence: Sequence): void {
    if (sequence.slot === null) return;
    const { from, blocks } = this.#prefixes.insert(sequence);
    if (blocks.length === 0) return;
    this.#operations.push({ op: 'save', slot: sequence.slot, from, blocks });
  }

  free(sequence: Sequence): void {
    if (sequence.slot === null) return;
    this.cacheBlocks(sequence);
    this.#owners[sequence.slot] = null;
    sequence.slot = null;
    sequence.cached = 0;
  }

  ownerOf(slot: number): Sequence | null {
    return this.#owners[slot] ?? null;
  }

  /** Swaps two slots. */
  swap(a: number, b: number): void {
    const [first, second] = [this.ownerOf(a), this.ownerOf(b)];
    const [lengthA, lengthB] = [first?.computed ?? 0, second?.computed ?? 0];
    this.#operations.push({ op: 'swap', a, lengthA, b, lengthB });
    this.#owners[a] = second;
    this.#owners[b] = first;
    if (first) first.slot = b;
    if (second) second.slot = a;
  }

  #moveBelow(count: number): void {
    for (let slot = count; slot < this.#owners.length; slot++) {
      if (this.#owners[slot] !== null) this.swap(slot, this.#owners.indexOf(null));
    }
  }
}
