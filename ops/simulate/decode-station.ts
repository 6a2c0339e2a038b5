import type { Clock } from './clock.ts';
import type { Flight } from './flight.ts';
import { Pool, type PoolWorker } from './pool.ts';
import { encodeMs, stepMs, type StageTimes } from './stage-times.ts';

export interface DecodeLimits {
  /** Sequences that one worker runs at a time. */
  readonly slots: number;
  /** Prompt tokens that one step may prefill beside the decoding rows. */
  readonly chunkTokens: number;
  /** Images that a monolith encodes in one step. */
  readonly encodeBatch: number;
}

interface DecodeWorker extends PoolWorker {
  readonly rows: Flight[];
  /** Images that this worker has encoded itself; a monolith keeps its embeddings to itself. */
  readonly encoded: Set<string>;
  stepping: boolean;
}

/** Decoders before one queue, each with a continuous batch; in a monolith they encode as well. */
export class DecodeStation {
  readonly pool: Pool<DecodeWorker>;
  readonly #clock: Clock;
  readonly #times: StageTimes;
  readonly #limits: DecodeLimits;
  readonly #onDone: (flight: Flight) => void;
  readonly #waiting: Flight[] = [];
  #running = 0;

  constructor(
    clock: Clock,
    times: StageTimes,
    limits: DecodeLimits,
    startMs: number,
    onDone: (flight: Flight) => void,
  ) {
    this.#clock = clock;
    this.#times = times;
    this.#limits = limits;
    this.#onDone = onDone;
    this.pool = new Pool(clock, startMs, newWorker, () => this.#dispatch());
  }

  /** Sequences that wait or run: what the decoders are scaled on. */
  get sequences(): number {
    return this.#waiting.length + this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(flight: Flight): void {
    flight.readyMs = this.#clock.nowMs;
    this.#waiting.push(flight);
    this.#dispatch();
  }

  /** To the worker with the fewest rows; those that are in a step take it up with the next one. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const free = this.pool.ready.filter(({ rows }) => rows.length < this.#limits.slots);
      const worker = free.toSorted((a, b) => a.rows.length - b.rows.length)[0];
      if (worker === undefined) return;
      const flight = this.#waiting.shift()!;
      flight.admittedMs = this.#clock.nowMs;
      flight.toEncode = flight.toEncode.filter((key) => !worker.encoded.has(key));
      worker.rows.push(flight);
      this.#running += 1;
      if (!worker.stepping) this.#step(worker);
    }
  }

  #step(worker: DecodeWorker): void {
    worker.stepping = true;
    const encodingMs = this.#encodeInStep(worker);
    const decoding = worker.rows.filter((flight) => flight.prefillLeft === 0);
    const prefills = this.#prefills(worker);
    const tokens = prefills.reduce((sum, { count }) => sum + count, 0);
    this.#clock.after(encodingMs + stepMs(this.#times, decoding.length, tokens), () => {
      decoding.forEach((flight) => this.#token(worker, flight));
      for (const { flight, count } of prefills) {
        flight.prefillLeft -= count;
        if (flight.prefillLeft === 0) this.#token(worker, flight);
      }
      this.#next(worker);
    });
  }

  #encodeInStep(worker: DecodeWorker): number {
    const wanted = new Set(worker.rows.flatMap(({ toEncode }) => toEncode));
    const batch = [...wanted].slice(0, this.#limits.encodeBatch);
    if (batch.length === 0) return 0;
    for (const key of batch) worker.encoded.add(key);
    for (const flight of worker.rows) {
      flight.toEncode = flight.toEncode.filter((key) => !worker.encoded.has(key));
    }
    return encodeMs(this.#times, batch.length);
  }

  #prefills(worker: DecodeWorker): { flight: Flight; count: number }[] {
    let budget = this.#limits.chunkTokens;
    return worker.rows
      .filter(({ prefillLeft, toEncode }) => prefillLeft > 0 && toEncode.length === 0)
      .map((flight) => {
        const count = Math.min(budget, flight.prefillLeft);
        budget -= count;
        return { flight, count };
      })
      .filter(({ count }) => count > 0);
  }

  #token(worker: DecodeWorker, flight: Flight): void {
    if (flight.outputLeft === flight.request.outputTokens) flight.firstTokenMs = this.#clock.nowMs;
    flight.outputLeft -= 1;
    if (flight.outputLeft > 0) return;
    flight.doneMs = this.#clock.nowMs;
    worker.rows.splice(worker.rows.indexOf(flight), 1);
    this.#running -= 1;
    this.#onDone(flight);
  }

  #next(worker: DecodeWorker): void {
    worker.stepping = false;
    this.pool.settle();
    this.#dispatch();
    if (!worker.stepping && worker.rows.length > 0) this.#step(worker);
  }
}

function newWorker(): DecodeWorker {
  return {
    rows: [],
    encoded: new Set(),
    stepping: false,
    get idle() {
      return this.rows.length === 0;
    },
  };
}
