/** What each token id stands for; null: nothing that an answer may contain (control tokens). */
export type TokenBytes = readonly (Uint8Array | null)[];

/**
 * The byte strings of a vocabulary as a tree, laid out in depth-first order: node `i`'s first child is
 * `i + 1`, its next sibling `end[i]`. Node 0 is the root.
 */
export interface TokenTrie {
  readonly size: number;
  readonly byte: Uint8Array;
  /** The first node behind the subtree. */
  readonly end: Int32Array;
  /** Bytes from the root. */
  readonly depth: Uint16Array;
  /** Index into `ids` of the node's first token; those of node `i` end where those of `i + 1` begin. */
  readonly tokensAt: Int32Array;
  readonly ids: Int32Array;
  /** Tokens of the vocabulary, with those that have no bytes. */
  readonly tokens: number;
  readonly depthMax: number;
}

export function buildTokenTrie(tokens: TokenBytes): TokenTrie {
  const sorted = tokens
    .flatMap((bytes, id) => (bytes && bytes.length > 0 ? [{ bytes: Buffer.from(bytes), id }] : []))
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes) || a.id - b.id);
  const room = 1 + sorted.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const byte = new Uint8Array(room);
  const end = new Int32Array(room);
  const depth = new Uint16Array(room);
  const tokensAt = new Int32Array(room + 1);
  const ids = Int32Array.from(sorted, ({ id }) => id);
  const path = [0];
  let size = 1;
  let before = Buffer.alloc(0);
  const close = (length: number): void => {
    while (path.length > length + 1) end[path.pop() as number] = size;
  };
  for (const [index, { bytes }] of sorted.entries()) {
    const shared = sharedLength(before, bytes);
    if (shared < bytes.length) close(shared);
    for (let at = shared; at < bytes.length; at++) {
      byte[size] = bytes[at] as number;
      depth[size] = at + 1;
      tokensAt[size] = index;
      path.push(size++);
    }
    before = bytes;
  }
  close(0);
  end[0] = size;
  tokensAt[size] = ids.length;
  return {
    size,
    byte: byte.slice(0, size),
    end: end.slice(0, size),
    depth: depth.slice(0, size),
    tokensAt: tokensAt.slice(0, size + 1),
    ids,
    tokens: tokens.length,
    depthMax: depth.reduce((max, value) => Math.max(max, value), 0),
  };
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  for (let at = 0; at < most; at++) if (a[at] !== b[at]) return at;
  return most;
}
