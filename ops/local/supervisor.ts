import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ManagedProcess, type Death, type ProcessSpec } from './managed-process.ts';

/**
 * The fleet's processes, in tiers: started from the first tier to the last as the caller adds them,
 * stopped from the last to the first, so that no process loses a dependency. Within a tier
 * together.
 */
export class Supervisor {
  readonly #tiers: ManagedProcess[][] = [];
  readonly #onDeath: (death: Death, process: ManagedProcess) => void;
  #stopping: Promise<void> | null = null;

  constructor(onDeath: (death: Death, process: ManagedProcess) => void) {
    this.#onDeath = onDeath;
  }

  /** Starts processes that depend on all that were added before. */
  async add(specs: readonly ProcessSpec[]): Promise<ManagedProcess[]> {
    const tier = specs.map((spec) => {
      const added = new ManagedProcess(spec, (death) => this.#onDeath(death, added));
      return added;
    });
    await Promise.all(specs.map((spec) => newLog(spec.logFile)));
    if (this.#stopping) return tier;
    this.#tiers.push(tier);
    for (const process of tier) process.start();
    return tier;
  }

  get processes(): ManagedProcess[] {
    return this.#tiers.flat();
  }

  /** Ends everything, the last tier first. Asking again gives the same stop. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** For a second Ctrl-C. */
  kill(): void {
    for (const process of this.processes) process.kill();
  }

  async #stop(): Promise<void> {
    for (const tier of this.#tiers.toReversed()) {
      await Promise.all(tier.map((process) => process.stop()));
    }
  }
}

/** The log of the run before is kept beside, and no further back. */
async function newLog(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await rename(file, `${file}.1`).catch(() => {}); // there was none
}
