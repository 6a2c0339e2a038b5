import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ChaosProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Answers 200 when the process is ready; null: it is not probed. */
  readonly readyUrl: string | null;
  /** How it learns that the harness has ended: Node's channel, or the end of its standard input. */
  readonly lifeline: 'channel' | 'stdin';
}

/** A supervisor takes about so long to notice; the delay is part of the test. */
const RESTART_MS = 250;
const STOP_MS = 30_000;

/**
 * A process that faults may do anything to. It is restarted after every exit until `stop`. It has a
 * process group of its own: a signal to the harness is none to the fleet, and faults hit all of it.
 */
export class ChaosProcess {
  readonly spec: ChaosProcessSpec;
  /** Exits that no fault caused, as `code/signal`. */
  readonly surprises: string[] = [];
  peakRssMb = 0;
  deaths = 0;
  #child: ChildProcess | null = null;
  #extraEnv: Readonly<Record<string, string>> = {};
  #expected = false;
  #stopped = false;

  constructor(spec: ChaosProcessSpec) {
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    if (this.#child !== null || this.#stopped) return;
    const { command, args, env, logFile, lifeline } = this.spec;
    const log = openSync(logFile, 'a');
    const child = spawn(command, args, {
      detached: true,
      env: { ...env, ...this.#extraEnv },
      stdio: lifeline === 'channel' ? ['ignore', log, log, 'ipc'] : ['pipe', log, log],
    });
    closeSync(log);
    this.#child = child;
    child.once('exit', (code, signal) => this.#ended(code, signal));
  }

  /** Environment of the starts from now on, beside its own. */
  setEnvironment(env: Readonly<Record<string, string>>): void {
    this.#extraEnv = env;
  }

  /** Kills it as a fault does. Its supervisor restarts it. */
  kill(): void {
    this.#expected = true;
    this.#signal('SIGKILL');
  }

  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  /**
   * Asks it to stop and waits until it has. Its supervisor restarts it. Returns its exit code: 0, or null
   * for one that had just been started and knew nothing of signals yet; else it did not stop cleanly.
   */
  async restart(): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    this.#expected = true;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const late = sleep(STOP_MS, 'late' as const, { ref: false });
    if ((await Promise.race([exit, late])) === 'late') this.#signal('SIGKILL');
    await exit;
    if (child.exitCode) this.surprises.push(`${child.exitCode} when asked to stop`);
    return child.exitCode;
  }

  /** For good. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#stopped = true;
    const child = this.#child;
    if (child === null) return;
    const exit = once(child, 'exit');
    this.#signal('SIGCONT');
    if (signal === 'SIGKILL') this.#signal(signal);
    else child.kill(signal);
    const late = sleep(STOP_MS, 'late' as const, { ref: false });
    if ((await Promise.race([exit, late])) === 'late') this.#signal('SIGKILL');
    await exit;
  }

  async isReady(): Promise<boolean> {
    if (this.#child === null) return false;
    if (this.spec.readyUrl === null) return true;
    const signal = AbortSignal.timeout(3_000);
    return fetch(this.spec.readyUrl, { signal }).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok;
      },
      () => false,
    );
  }

  /** The kernel's own high-water mark of this process's memory. */
  sampleMemory(): void {
    for (const pid of this.#pids()) this.peakRssMb = Math.max(this.peakRssMb, highWaterMb(pid));
  }

  /** Its own, and those it has started itself. */
  #pids(): number[] {
    if (this.pid === null) return [];
    const children = textOf(`/proc/${this.pid}/task/${this.pid}/children`);
    return [this.pid, ...children.split(' ').filter(Boolean).map(Number)];
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid === null) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // it has just ended
    }
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child?.stdin?.destroy();
    this.#child = null;
    this.deaths += 1;
    if (!this.#expected && !this.#stopped) this.surprises.push(`${code ?? signal}`);
    this.#expected = false;
    if (!this.#stopped) setTimeout(() => this.start(), RESTART_MS);
  }
}

function highWaterMb(pid: number): number {
  const kib = /^VmHWM:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0;
  return Math.round(Number(kib) / 1024);
}

/** Empty for a process that has just ended, and where this is no Linux. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
