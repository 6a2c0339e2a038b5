import type { Admission, AdmittedWork } from '@epd/jobs';

/** Older samples, in busy time, are not representative. */
const WINDOW_MS = 60_000;
/** Reads within this time share one query to Redis. */
const SAMPLE_MS = 1_000;

export interface Pace {
  readonly waiting: AdmittedWork;
  /** Tokens per second; null while no job has ended. */
  readonly costPerS: number | null;
}

interface Sampled {
  readonly atMs: number;
  readonly samples: readonly AdmittedWork[];
}

/**
 * The throughput of the fleet or of one model: the work that ended in the last busy minute, as this
 * process observed it. The account excludes idle time, which does not indicate the throughput.
 */
export class Throughput {
  readonly #admission: Pick<Admission, 'work'>;
  readonly #sampled = new Map<string | undefined, Sampled>();

  constructor(admission: Pick<Admission, 'work'>) {
    this.#admission = admission;
  }

  async look(model?: string): Promise<Pace> {
    const samples = await this.#samples(model);
    const [first, latest] = [samples[0], samples.at(-1)];
    if (first === undefined || latest === undefined) throw new Error('No sample was taken');
    const busyMs = latest.busyMs - first.busyMs;
    const ended = latest.endedCost - first.endedCost;
    return { waiting: latest, costPerS: busyMs > 0 && ended > 0 ? (ended / busyMs) * 1000 : null };
  }

  async #samples(model: string | undefined): Promise<readonly AdmittedWork[]> {
    const known = this.#sampled.get(model);
    const atMs = performance.now();
    if (known !== undefined && known.atMs > atMs - SAMPLE_MS) return known.samples;
    const latest = await this.#admission.work(model);
    const samples = [...within(known?.samples ?? [], latest), latest];
    this.#sampled.set(model, { atMs, samples });
    return samples;
  }
}

/** Earlier samples are invalid after the account was lost and recreated. */
function within(samples: readonly AdmittedWork[], latest: AdmittedWork): readonly AdmittedWork[] {
  return samples.filter(
    ({ busyMs, endedCost }) =>
      busyMs >= latest.busyMs - WINDOW_MS &&
      busyMs < latest.busyMs &&
      endedCost <= latest.endedCost,
  );
}
