import type { Clock } from './clock.ts';

/** A worker that a pool holds. `idle` decides whether it may go at once when it is not wanted. */
export interface PoolWorker {
  readonly idle: boolean;
}

interface Member<W> {
  readonly worker: W;
  readonly bornMs: number;
  ready: boolean;
  draining: boolean;
}

/**
 * Workers of one kind. A new one is of use after `startMs`; one that is not wanted any more takes no
 * new work and ends when it has finished its jobs. Time is paid for from order to end.
 */
export class Pool<W extends PoolWorker> {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #create: () => W;
  readonly #onReady: () => void;
  #members: Member<W>[] = [];
  #paidMs = 0;

  constructor(clock: Clock, startMs: number, create: () => W, onReady: () => void) {
    this.#clock = clock;
    this.#startMs = startMs;
    this.#create = create;
    this.#onReady = onReady;
  }

  /** Workers that are there or on their way, without those that leave. */
  get size(): number {
    return this.#members.filter(({ draining }) => !draining).length;
  }

  /** Those that may be given work. */
  get ready(): W[] {
    return this.#members
      .filter(({ ready, draining }) => ready && !draining)
      .map(({ worker }) => worker);
  }

  /** `warm`: of use at once, for those that are there when the trace begins. */
  resize(replicas: number, warm = false): void {
    const surplus = this.size - replicas;
    if (surplus > 0) this.#drain(surplus);
    for (let missing = -surplus; missing > 0; missing -= 1) this.#add(warm);
  }

  /** To be called when a worker has finished something. */
  settle(): void {
    this.#members = this.#members.filter((member) => {
      const leaves = member.draining && member.worker.idle;
      if (leaves) this.#paidMs += this.#clock.nowMs - member.bornMs;
      return !leaves;
    });
  }

  /** Worker-milliseconds until now. */
  paidMs(): number {
    const { nowMs } = this.#clock;
    return this.#members.reduce((sum, { bornMs }) => sum + nowMs - bornMs, this.#paidMs);
  }

  #add(warm: boolean): void {
    const member: Member<W> = {
      worker: this.#create(),
      bornMs: this.#clock.nowMs,
      ready: warm,
      draining: false,
    };
    this.#members.push(member);
    if (warm) return;
    this.#clock.after(this.#startMs, () => {
      member.ready = true;
      this.#onReady();
    });
  }

  /** The youngest are removed first: those not ready yet cost least. */
  #drain(count: number): void {
    const staying = this.#members.filter(({ draining }) => !draining);
    for (const member of staying.slice(-count)) member.draining = true;
    this.settle();
  }
}
