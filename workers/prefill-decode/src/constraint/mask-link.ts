const OPEN = 0;
const LOST = 1;
const REPLACED = 2;

/**
 * Whether the runner may still wait for masks of one mask thread, in memory that the main thread and the runner
 * share: the runner blocks while it waits, and hears of nothing else.
 *
 * open → lost (the thread died, or a mask was waited for in vain) | replaced (it was ended over a constraint that
 * took too long to compile, through no fault of the answers that it held).
 */
export class MaskLink {
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#state = new Int32Array(memory);
  }

  get open(): boolean {
    return Atomics.load(this.#state, 0) === OPEN;
  }

  get replaced(): boolean {
    return Atomics.load(this.#state, 0) === REPLACED;
  }

  lose(): void {
    Atomics.compareExchange(this.#state, 0, OPEN, LOST);
  }

  replace(): void {
    Atomics.compareExchange(this.#state, 0, OPEN, REPLACED);
  }
}
