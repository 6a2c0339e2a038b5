import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { Semaphore } from '@epd/connector';

/** A body of this size, or more, is many times a chat without pictures. */
const LARGE_BYTES = 4 * 1024 * 1024;
/** Of bodies that requests have left behind since the last collection; in memory they are a few times as much. */
const MAX_LEFT_BYTES = 16 * 1024 * 1024;

/**
 * Large bodies, in the memory of a small container. They are parsed one after the other, and what requests have left
 * behind of them is collected before another is read or parsed: the engine would collect it when its heap is full,
 * and most of a body is not in its heap.
 */
export class LargeBodies {
  readonly #turns = new Semaphore(1);
  #leftBytes = 0;

  /** Runs `work` at once for a small body, in its turn for a large one. */
  async run<Value>(bytes: number, work: () => Promise<Value>): Promise<Value> {
    if (bytes < LARGE_BYTES) return work();
    return this.#turns.run(work);
  }

  /** A request that held so many bytes is over. */
  left(bytes: number): void {
    this.#leftBytes += bytes;
  }

  /** To be called before so many bytes are read. */
  makeRoom(bytes: number): void {
    if (bytes < LARGE_BYTES || this.#leftBytes < MAX_LEFT_BYTES) return;
    this.#leftBytes = 0;
    collectGarbage();
  }
}

/** Node offers it behind a flag, which may be set while it runs. */
function loadCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}

const collectGarbage = loadCollector();
