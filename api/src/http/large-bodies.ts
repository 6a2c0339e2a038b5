import { Semaphore } from '@epd/connector';

/** A body of this size, or more, is many times a chat without pictures. */
const LARGE_BYTES = 4 * 1024 * 1024;

/** Takes large bodies one after the other: while one is parsed it is in memory several times. */
export class LargeBodies {
  readonly #turns = new Semaphore(1);

  /** Runs `work` at once for a small body, queues it for a large one. */
  async run<Value>(bytes: number, work: () => Promise<Value>): Promise<Value> {
    if (bytes < LARGE_BYTES) return work();
    return this.#turns.run(work);
  }
}
