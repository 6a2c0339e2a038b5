import { BLOCK_TOKENS } from '../../decoder/kv-backend.ts';
import type { Sequence, Unit } from '../sequences/sequence.ts';

/** A cached prefix of a sequence: whole blocks, the last of which may be used in part. */
export interface PrefixMatch {
  readonly blocks: readonly number[];
  readonly tokens: number;
}

interface Block {
  readonly key: string;
  readonly units: readonly Unit[];
  readonly id: number;
  /** Images whose last token is in the block: the block and its ancestors cover them. */
  readonly covers: readonly string[];
  readonly parent: Node;
  readonly children: Map<string, Block>;
}

/** A block, or the root of a scope. */
type Node = Block | Root;

interface Root {
  readonly scope: string;
  readonly children: Map<string, Block>;
}

/**
 * The index of cached blocks by prefix: a tree in which the path to a block spells all tokens
 * before it. It compares contents, not digests, and image tokens by their image. Each scope has its
 * own tree: a prefix of one scope never matches, and so is never revealed, in another. Blocks are
 * evicted least recently used first; using a block touches its ancestors after it, so the oldest is
 * always a leaf.
 */
export class PrefixCache {
  /** By scope; a scope without blocks is removed. */
  readonly #roots = new Map<string, Root>();
  /** Least recently used first. */
  readonly #used = new Set<Block>();
  readonly #free: number[] = [];
  #issued = 0;
  #capacity = 0;
  #version = 0;

  /** Increases whenever the result of a match may have changed. */
  get version(): number {
    return this.#version;
  }

  /** Tokens in all cached blocks. */
  get tokens(): number {
    return this.#used.size * BLOCK_TOKENS;
  }

  /** Sets the maximum number of blocks; returns the ids of the evicted ones. */
  resize(capacity: number): number[] {
    this.#capacity = capacity;
    const dropped: number[] = [];
    while (this.#used.size > capacity) dropped.push(this.#evict());
    this.#free.push(...dropped);
    return dropped;
  }

  /**
   * The longest cached prefix of the sequence, without its last token, which is always computed.
   */
  match(sequence: Sequence): PrefixMatch {
    const most = sequence.length - 1;
    const path = this.#path(sequence, Math.floor(most / BLOCK_TOKENS));
    const whole = path.length * BLOCK_TOKENS;
    const next = closest(
      path.at(-1) ?? this.#roots.get(sequence.scope),
      sequence.units(whole, Math.min(most, whole + BLOCK_TOKENS)),
    );
    const blocks = path.map(({ id }) => id);
    return next
      ? { blocks: [...blocks, next.id], tokens: whole + next.count }
      : { blocks, tokens: whole };
  }

  /** Marks the prefix of the sequence as used now. */
  touch(sequence: Sequence): void {
    this.#touch(this.#path(sequence, Math.floor(sequence.length / BLOCK_TOKENS)));
  }

  /**
   * Adds the whole blocks of the sequence's cached tokens that the cache does not hold yet. Returns
   * where they begin and the ids to copy them to, as far as there is room.
   */
  insert(sequence: Sequence): { from: number; blocks: number[] } {
    const whole = Math.min(Math.floor(sequence.cached / BLOCK_TOKENS), this.#capacity);
    const path = this.#path(sequence, whole);
    const held = path.length;
    this.#touch(path);
    for (let index = held; index < whole; index++)
      path.push(this.#add(sequence, index, path.at(-1) ?? null));
    this.#touch(path);
    if (path.length > held) this.#version++;
    return { from: held * BLOCK_TOKENS, blocks: path.slice(held).map(({ id }) => id) };
  }

  /** Images that a cached prefix covers. */
  images(): Set<string> {
    return new Set([...this.#used].flatMap(({ covers }) => covers));
  }

  /** Cached blocks that match the sequence's first blocks, at most `most`. */
  #path(sequence: Sequence, most: number): Block[] {
    const path: Block[] = [];
    let node: Node | undefined = this.#roots.get(sequence.scope);
    for (let index = 0; node && index < most; index++) {
      const block = node.children.get(sequence.blockKey(index));
      if (!block) break;
      path.push(block);
      node = block;
    }
    return path;
  }

  #add(sequence: Sequence, index: number, before: Block | null): Block {
    const start = index * BLOCK_TOKENS;
    // Evicts first, because that may remove the root of a scope.
    const id =
      this.#used.size < this.#capacity ? (this.#free.pop() ?? this.#issued++) : this.#evict();
    const parent = before ?? this.#root(sequence.scope);
    const block = {
      key: sequence.blockKey(index),
      units: sequence.units(start, start + BLOCK_TOKENS),
      id,
      covers: sequence.imagesEndingIn(start, start + BLOCK_TOKENS),
      parent,
      children: new Map<string, Block>(),
    };
    parent.children.set(block.key, block);
    this.#used.add(block);
    return block;
  }

  #root(scope: string): Root {
    const known = this.#roots.get(scope);
    if (known) return known;
    const root = { scope, children: new Map<string, Block>() };
    this.#roots.set(scope, root);
    return root;
  }

  /** From the last to the first, so that a block is always more recent than its descendants. */
  #touch(path: readonly Block[]): void {
    for (const block of path.toReversed()) {
      this.#used.delete(block);
      this.#used.add(block);
    }
  }

  #evict(): number {
    const [oldest] = this.#used;
    if (!oldest || oldest.children.size > 0) throw new RangeError('The oldest block is no leaf');
    this.#used.delete(oldest);
    const { parent } = oldest;
    parent.children.delete(oldest.key);
    if ('scope' in parent && parent.children.size === 0) this.#roots.delete(parent.scope);
    this.#version++;
    return oldest.id;
  }
}

/** The child block that shares the most leading tokens with these. */
function closest(
  after: Node | undefined,
  units: readonly Unit[],
): { id: number; count: number } | null {
  let best: { id: number; count: number } | null = null;
  for (const block of after?.children.values() ?? []) {
    let count = 0;
    while (count < units.length && block.units[count] === units[count]) count++;
    if (count > (best?.count ?? 0)) best = { id: block.id, count };
  }
  return best;
}
