import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import { pinned } from '../pin.ts';

const SPIN = fileURLToPath(new URL('spin.ts', import.meta.url));
/** Linux's class for what runs only where a core would sleep: whoever else wakes takes the core at once. */
const IDLE_CLASS = ['chrt', '--idle', '0'] as const;

/**
 * Keeps every core from sleeping while something is measured. A virtual core that sleeps is woken by its
 * host when the host finds the time, which on a shared one takes milliseconds: programs that hand work to
 * each other would be measured by their host's queue. What keeps a core awake yields to all others.
 */
export class KeptAwake implements Disposable {
  readonly #spinners: readonly ChildProcess[];

  private constructor(spinners: readonly ChildProcess[]) {
    this.#spinners = spinners;
  }

  /** Null where the system has no such class, or its tools are missing. */
  static start(cores = availableParallelism()): KeptAwake | null {
    if (!canGiveWay()) return null;
    return new KeptAwake(Array.from({ length: cores }, (_, core) => spinner(String(core))));
  }

  get pids(): number[] {
    return this.#spinners.flatMap(({ pid }) => pid ?? []);
  }

  [Symbol.dispose](): void {
    for (const child of this.#spinners) child.kill('SIGKILL');
  }
}

function spinner(core: string): ChildProcess {
  const [chrt, ...idle] = IDLE_CLASS;
  const { command, args } = pinned(core, chrt, [...idle, process.execPath, SPIN]);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.unref();
  child.channel?.unref();
  return child;
}

function canGiveWay(): boolean {
  const [chrt, ...idle] = IDLE_CLASS;
  const { command, args } = pinned('0', chrt, [...idle, 'true']);
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
