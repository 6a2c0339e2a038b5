import { maskWords, type TokenMask } from '@epd/constraint';

/** A mask is being made. Masks are numbered by the tokens accepted before them: 0, 1, ... */
export const PENDING = -1;
/** The accepted tokens are none that the constraint permits. */
export const BROKEN = -2;
/** The mask takes more work than is allowed. */
export const TOO_COMPLEX = -3;

const READY = 0;
const WANTED = 1;
const HEADER_BYTES = 8;
/** Who waits looks so often, in milliseconds, whether there is anybody to wait for. */
const LOOK_MS = 20;

/**
 * The mask of one sequence, in memory that the runner and the mask thread share. The runner says which
 * mask it wants; the mask thread writes it and says that it is there. Neither touches the mask while the
 * other may: the runner reads when its number is ready, and asks for the next only after that.
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
   * Waits until mask `number` is there, or a fault is; returns which, or `PENDING` after `limitMs`, or when nobody
   * makes masks any more.
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
