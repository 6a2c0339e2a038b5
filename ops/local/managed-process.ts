import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_INVALID_CONFIG } from '@epd/service';

/** A process that dies at once is not started in a tight loop, and one that lives is soon back. */
const BACKOFF_MS = { first: 250, max: 10_000 };
/** A process that lived this long has started well: its next death counts as the first. */
const HEALTHY_AFTER_MS = 20_000;

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** How long it may take to stop before it is killed. */
  readonly stopMs: number;
  /** How it learns that this process has ended: Node's channel, or the end of its standard input. */
  readonly lifeline: 'channel' | 'stdin';
}

export interface Death {
  readonly name: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How often in a row it died young. */
  readonly failures: number;
  /** Null: it is not started again. */
  readonly restartInMs: number | null;
}

/**
 * One process of the fleet, kept alive until it is stopped: `idle` → `up` ⇄ `down` → `stopped`.
 * It has a process group of its own, so that a Ctrl-C at the terminal reaches the launcher alone,
 * which stops the processes in their order. What it writes goes to its log file, by the kernel.
 */
export class ManagedProcess {
  readonly spec: ProcessSpec;
  readonly #onDeath: (death: Death) => void;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #stop = new AbortController();
  #failures = 0;
  #isRefused = false;

  constructor(spec: ProcessSpec, onDeath: (death: Death) => void = () => {}) {
    this.spec = spec;
    this.#onDeath = onDeath;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** How often in a row it died young; 0 once it has lived for a while. */
  get failures(): number {
    return this.#failures;
  }

  /** Its settings cannot be used: it is not started again. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  start(): void {
    if (this.#child || this.#stop.signal.aborted) return;
    const beganMs = performance.now();
    const child = this.#spawn();
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        child.stdin?.destroy();
        this.#child = null;
        resolve();
        this.#afterDeath(code, signal, performance.now() - beganMs);
      };
      child.once('exit', end);
      // A command that cannot be run at all never emits `exit`.
      child.once('error', () => child.pid === undefined && end(127, null));
    });
  }

  /** Asks the process to stop; kills it when it takes longer than its limit. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#child?.kill('SIGTERM');
    const limit = new AbortController();
    const late = sleep(this.spec.stopMs, 'late', { signal: limit.signal }).catch(() => 'stopped');
    if ((await Promise.race([this.#exited, late])) === 'late') this.kill();
    limit.abort();
    await this.#exited;
  }

  /** Kills the process and its children. */
  kill(): void {
    this.#stop.abort();
    const pid = this.pid;
    if (pid === null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#child?.kill('SIGKILL');
    }
  }

  /** The tail of its output, for messages. */
  async lastLines(count = 15): Promise<string> {
    const text = await readFile(this.spec.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-count).join('\n');
  }

  #spawn(): ChildProcess {
    const { command, args, env, logFile, lifeline } = this.spec;
    const log = openSync(logFile, 'a');
    try {
      return spawn(command, args, {
        detached: true,
        env: { ...env },
        stdio: lifeline === 'channel' ? ['ignore', log, log, 'ipc'] : ['pipe', log, log],
      });
    } finally {
      closeSync(log);
    }
  }

  #afterDeath(code: number | null, signal: NodeJS.Signals | null, livedMs: number): void {
    if (this.#stop.signal.aborted) return;
    this.#failures = livedMs >= HEALTHY_AFTER_MS ? 1 : this.#failures + 1;
    this.#isRefused = code === EXIT_INVALID_CONFIG;
    const backoffMs = Math.min(BACKOFF_MS.first * 2 ** (this.#failures - 1), BACKOFF_MS.max);
    const restartInMs = this.#isRefused ? null : backoffMs;
    this.#onDeath({ name: this.spec.name, code, signal, failures: this.#failures, restartInMs });
    if (restartInMs === null) return;
    sleep(restartInMs, undefined, { signal: this.#stop.signal }).then(
      () => this.start(),
      () => {}, // stopped meanwhile
    );
  }
}
