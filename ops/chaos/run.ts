import { setTimeout as sleep } from 'node:timers/promises';
import { RedisJobStore } from '@epd/jobs';
import { Checker, type Finding } from './checker.ts';
import { playClient, type ClientRecord } from './clients/client.ts';
import { EncodeLog } from './encode-log.ts';
import { faults } from './faults/index.ts';
import { findLeaks } from './leaks.ts';
import { isLong, type Step } from './plans/plan.ts';
import { Reference } from './reference.ts';
import { stamp, type FaultLine, type Outcome } from './report.ts';
import { World } from './world/world.ts';

/** For a machine that is shared and slow: each is a bound on waiting, not a wait. */
const READY_WITHIN_MS = 180_000;
const END_WITHIN_MS = 300_000;
const LEAKS_WITHIN_MS = 60_000;
/** More would measure the patience of the queue, not the faults. */
const OUTSTANDING_MAX = 150;

export interface RunOptions {
  readonly command: string;
  readonly steps: readonly Step[];
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Plays a plan against a fleet of its own, and checks what came of it. */
export async function runPlan(options: RunOptions): Promise<Outcome> {
  const world = await World.create({ folder: options.folder });
  try {
    await world.start(READY_WITHIN_MS);
    options.say('the fleet is ready');
    return await new Run(options, world).play();
  } finally {
    await world.stop('SIGKILL');
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #encodes: EncodeLog;
  readonly #jobs: RedisJobStore;
  readonly #reference = new Reference();
  readonly #clients: Promise<ClientRecord>[] = [];
  readonly #faults: FaultLine[] = [];
  readonly #problems: Finding[] = [];
  readonly #startedAt = new Date();
  readonly #startMs = performance.now();
  readonly #stopReading = new AbortController();
  #outstanding = 0;

  constructor(options: RunOptions, world: World) {
    this.#options = options;
    this.#world = world;
    this.#encodes = new EncodeLog(world.redis, world.prefix);
    this.#jobs = new RedisJobStore({ redis: world.redis, prefix: world.prefix });
  }

  async play(): Promise<Outcome> {
    await this.#encodes.start();
    try {
      const planned = this.#options.steps.flatMap(({ jobs }) => jobs);
      if (planned.some(({ kind }) => isLong(kind))) await this.#reference.learn(this.#world.urls);
      for (const step of this.#options.steps) await this.#step(step);
      await this.#world.ready(READY_WITHIN_MS);
      const records = await this.#allEnded();
      return await this.#outcome(records);
    } finally {
      this.#stopReading.abort();
      await this.#encodes.stop();
      await this.#jobs.close();
    }
  }

  async #step({ jobs, fault }: Step): Promise<void> {
    const { signal, say, steps } = this.#options;
    signal.throwIfAborted();
    for (const job of jobs) this.#clients.push(this.#client(job));
    await sleep(fault.offsetMs);
    const atS = this.#elapsedS();
    const what = await this.#inject(fault);
    this.#faults.push({ number: fault.number, kind: fault.kind, atS, what });
    say(
      `${String(fault.number + 1).padStart(3)}/${steps.length} ${atS.toFixed(1).padStart(6)} s  ${what}`,
    );
    if (fault.settle) await this.#world.ready(READY_WITHIN_MS);
    while (this.#outstanding > OUTSTANDING_MAX) await sleep(50, undefined, { signal });
  }

  /** A fleet that does not recover is a finding, and the run continues to find more. */
  async #inject(fault: Step['fault']): Promise<string> {
    try {
      return await faults[fault.kind]({ world: this.#world, fault, encodes: this.#encodes });
    } catch (error) {
      const what = `${fault.kind}: ${(error as Error).message}`;
      this.#problems.push({ kind: 'fault', job: null, id: null, what });
      return what;
    }
  }

  async #client(job: Step['jobs'][number]): Promise<ClientRecord> {
    await sleep(job.offsetMs);
    this.#outstanding += 1;
    const record = await playClient(this.#world.urls, job, this.#stopReading.signal);
    if (record.id !== null) await this.#untilEnded(record.id);
    this.#outstanding -= 1;
    return record;
  }

  /** By the record itself. Gives up with the run; the checker says what has not ended. */
  async #untilEnded(id: string): Promise<void> {
    while (!this.#stopReading.signal.aborted) {
      const status = await this.#world.redis.hget(`${this.#world.prefix}:job:${id}`, 'status');
      if (status !== 'queued' && status !== 'in_progress') return;
      await sleep(100);
    }
  }

  async #allEnded(): Promise<ClientRecord[]> {
    const all = Promise.all(this.#clients);
    const late = setTimeout(() => this.#stopReading.abort(), END_WITHIN_MS);
    const records = await all;
    clearTimeout(late);
    return records;
  }

  async #outcome(records: readonly ClientRecord[]): Promise<Outcome> {
    const checker = new Checker(this.#jobs, this.#reference, this.#world.losses);
    const findings = [...this.#problems, ...(await checker.check(records))];
    const leaks = await findLeaks(this.#world, LEAKS_WITHIN_MS);
    const processes = [...this.#world.processes.values()];
    return {
      command: this.#options.command,
      startedAt: stamp(this.#startedAt),
      seconds: this.#elapsedS(),
      records,
      statuses: await this.#statuses(),
      faults: this.#faults,
      findings,
      takeovers: checker.takeovers,
      lostWithRedis: checker.lostWithRedis,
      leaks,
      surprises: processes.flatMap(({ name, surprises }) =>
        surprises.map((end) => `${name}: ${end}`),
      ),
      encodes: this.#encodes.encodes,
      memoryMb: Object.fromEntries(processes.map(({ name, peakRssMb }) => [name, peakRssMb])),
      deaths: Object.fromEntries(processes.map(({ name, deaths }) => [name, deaths])),
    };
  }

  /** As the product counted them: a job that ended twice would be counted twice. */
  async #statuses(): Promise<Record<string, number>> {
    const totals = await this.#world.redis.hgetall(`${this.#world.prefix}:jobs:totals`);
    return Object.fromEntries(
      Object.entries(totals).map(([status, value]) => [status, Number(value)]),
    );
  }

  #elapsedS(): number {
    return (performance.now() - this.#startMs) / 1000;
  }
}
