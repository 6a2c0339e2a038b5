import type { JobEvent } from './job-event.ts';
import type { JobKeys } from './job-keys.ts';
import type { JobScripts } from './job-scripts.ts';
import { writable, writeNumber } from './written-events.ts';

/** Redis serves nobody else meanwhile: so many jobs' tokens take it less than a millisecond. */
const JOBS_MAX = 64;

interface Append {
  readonly id: string;
  readonly fence: number;
  readonly events: readonly JobEvent[];
  readonly resolve: (kept: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends of one tick go to Redis as one command: a worker writes the tokens of all its answers on common
 * beats. Each is kept, refused or failed by itself.
 */
export class AppendBatch {
  readonly #redis: JobScripts;
  readonly #keys: JobKeys;
  #waiting: Append[] = [];

  constructor(redis: JobScripts, keys: JobKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  add(id: string, fence: number, events: readonly JobEvent[]): Promise<boolean> {
    if (this.#waiting.length === 0) process.nextTick(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, fence, events, resolve, reject });
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length; from += JOBS_MAX) {
      void this.#write(waiting.slice(from, from + JOBS_MAX));
    }
  }

  async #write(appends: readonly Append[]): Promise<void> {
    const names = this.#keys;
    const keys = appends.flatMap(({ id }) => [
      names.record(id),
      names.events(id),
      names.channel(id),
    ]);
    try {
      const args = appends.flatMap(argumentsOf);
      const kept = await this.#redis.jobAppend(keys.length, ...keys, ...args);
      for (const [index, { resolve, reject }] of appends.entries()) {
        const outcome = kept[index];
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome === 1);
      }
    } catch (error) {
      for (const { reject } of appends) reject(error);
    }
  }
}

function argumentsOf({ fence, events }: Append): (string | number)[] {
  const [stage, begun, json] = writable(events);
  const hasTokens = events.some(({ type }) => type === 'tokens');
  const write = writeNumber();
  return [fence, stage, begun ? '1' : '', write, hasTokens ? '1' : '', json.length, ...json];
}
