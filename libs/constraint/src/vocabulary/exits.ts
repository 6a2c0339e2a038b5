import type { TokenTrie } from './token-trie.ts';

/**
 * Rests of tokens behind some nodes of the trie, the same rests taken together: what is left of tokens
 * within which a lexeme may end. Nodes are in order. Children are found when they are asked for.
 */
export class Exits {
  readonly #trie: TokenTrie;
  readonly #nodes: readonly number[];
  #children: readonly (readonly [byte: number, rest: Exits])[] | null = null;

  constructor(trie: TokenTrie, nodes: readonly number[]) {
    this.#trie = trie;
    this.#nodes = nodes;
  }

  get children(): readonly (readonly [byte: number, rest: Exits])[] {
    return (this.#children ??= this.#group());
  }

  /** Those outside of the ranges of nodes, which are in order. */
  without(ranges: readonly (readonly [from: number, to: number])[]): Exits {
    let at = 0;
    const nodes = this.#nodes.filter((node) => {
      while (at < ranges.length && node >= (ranges[at]?.[1] as number)) at++;
      return at === ranges.length || node < (ranges[at]?.[0] as number);
    });
    return new Exits(this.#trie, nodes);
  }

  with(nodes: readonly number[]): Exits {
    const all = [...this.#nodes, ...nodes].toSorted((a, b) => a - b);
    return new Exits(this.#trie, all);
  }

  /** Calls back with each token that ends here. */
  forEachToken(callback: (id: number) => void): void {
    const { tokensAt, ids } = this.#trie;
    for (const node of this.#nodes) {
      const last = tokensAt[node + 1] as number;
      for (let at = tokensAt[node] as number; at < last; at++) callback(ids[at] as number);
    }
  }

  #group(): (readonly [number, Exits])[] {
    const { byte, end } = this.#trie;
    const groups = new Map<number, number[]>();
    for (const node of this.#nodes) {
      const last = end[node] as number;
      for (let child = node + 1; child < last; child = end[child] as number) {
        const value = byte[child] as number;
        const group = groups.get(value);
        if (group) group.push(child);
        else groups.set(value, [child]);
      }
    }
    return [...groups].map(([value, nodes]) => [value, new Exits(this.#trie, nodes)] as const);
  }
}
