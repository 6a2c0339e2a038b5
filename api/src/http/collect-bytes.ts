import type { Readable } from 'node:stream';
import type { MemoryHold } from './memory-budget.ts';

interface CollectOptions {
  /** Charged for every byte as it arrives. */
  readonly hold: MemoryHold;
  /** How many bytes there will be, if the sender said so. */
  readonly expectedBytes: number;
  readonly maxBytes: number;
  /** Made when there are more than `maxBytes`. */
  readonly tooLarge: (bytes: number) => Error;
}

const FIRST_BYTES = 65_536;
const LARGE_BYTES = 1024 * 1024;
/**
 * Memory of this size is always the system's own, and goes back to it at once; smaller pieces are cut from a heap that
 * keeps what was freed between them. What is not written to is not there.
 */
const OWN_PAGES_BYTES = 33 * 1024 * 1024;

/**
 * A stream's bytes in one buffer, made once where the sender says how many will come: parts that are joined at
 * the end would take the memory twice. A page that nothing was written to takes none. When this throws, the
 * stream is left where it stands: to destroy a request's ends its connection before the answer is read.
 */
export async function collectBytes(
  stream: Readable,
  { hold, expectedBytes, maxBytes, tooLarge }: CollectOptions,
): Promise<Buffer> {
  let buffer: Buffer = allocate(Math.min(Math.max(expectedBytes, 0), maxBytes));
  let filled = 0;
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) {
    const end = filled + chunk.length;
    if (end > maxBytes) throw tooLarge(end);
    hold.take(chunk.length);
    if (end > buffer.length) buffer = grown(buffer, filled, Math.min(end, maxBytes));
    chunk.copy(buffer, filled);
    filled = end;
  }
  return buffer.subarray(0, filled);
}

const allocate = (bytes: number): Buffer =>
  Buffer.allocUnsafeSlow(bytes < LARGE_BYTES ? bytes : Math.max(bytes, OWN_PAGES_BYTES));

function grown(buffer: Buffer, filled: number, needed: number): Buffer {
  const larger = allocate(Math.max(needed, buffer.length * 2, FIRST_BYTES));
  buffer.copy(larger, 0, 0, filled);
  return larger;
}
