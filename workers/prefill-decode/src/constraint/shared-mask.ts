import { maskWords, type TokenMask } from '@epd/constraint';

/** The mask is being computed. Masks are numbered by the tokens accepted before them: 0, 1, ... */
export const PENDING = -1;
/** The constraint does not permit the accepted tokens. */
export const BROKEN = -2;
/** Computing the mask exceeds the work limit. */
export const TOO_COMPLEX = -3;

const READY = 0;
const WANTED = 1;
const HEADER_BYTES = 8;
/** Who waits looks so often, in milliseconds, whether there is anybody to wait for. */
const LOOK_MS = 20;

/**
 * The mask of one sequence, in memory that the runner and the mask thread share. The runner
 * requests a mask by number; the mask thread writes it and marks it ready. The two never access the
 * mask at the same time: the runner reads a mask once it is ready, and requests the next only after
 * that.
 */
export class SharedMask {
  readonly memory: SharedArrayBuffer;
  readonly mask: TokenMask;
  readonly #header: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#header = new Int32Array(memory, 0, 2);
    this.mask = new Uint32Array(memory, HEADER_BYTES);
  }

  static allocate(tokens: number): SharedMask {
    const shared = new SharedMask(new SharedArrayBuffer(HEADER_BYTES + 4 * maskWords(tokens)));
    Atomics.store(shared.#header, READY, PENDING);
    return shared;
  }

  get wanted(): number {
    return Atomics.load(this.#header, WANTED);
  }

  want(number: number): void {
    Atomics.store(this.#header, WANTED, number);
  }

  publish(number: number): void {
    Atomics.store(this.#header, READY, number);
    Atomics.notify(this.#header, READY);
  }

  /**
   * Waits until mask `number` is ready or faulted; returns which, or `PENDING` after `limitMs`, or once
   * `isMade` says that no thread makes masks any more.
   */
  wait(number: number, limitMs: number, isMade: () => boolean): number {
    const end = performance.now() + limitMs;
    for (;;) {
      const ready = Atomics.load(this.#header, READY);
      if (ready === number || ready < PENDING) return ready;
      const rest = end - performance.now();
      if (rest <= 0 || !isMade()) return PENDING;
      Atomics.wait(this.#header, READY, ready, Math.min(rest, LOOK_MS));
    }
  }
}
