import { Worker, type MessagePort } from 'node:worker_threads';
import type { MaskConnection } from '../constraint/mask-messages.ts';
import type {
  FromRunner,
  RunnerFacts,
  RunnerOptions,
  SharedEmbedding,
  Step,
  StepResult,
  ToRunner,
} from './messages.ts';

/** The runs of a step failed; the KV cache of its sequences is in an unknown state. */
class StepError extends Error {
  override readonly name = 'StepError';
}

/** The thread has exited: no further step can run. */
export class RunnerLostError extends Error {
  override readonly name = 'RunnerLostError';
}

/** Nothing can interrupt a run that hangs: `onHang` must exit the process. */
export interface Watch {
  /** A step that takes longer counts as hung. */
  readonly runTimeoutMs: number;
  readonly onHang: () => void;
}

/**
 * The main thread's side of the runner. Steps run one after the other, in the order in which they
 * are sent: a session blocks its thread for a whole run, and a second run would only wait.
 */
export class Runner {
  readonly facts: RunnerFacts;
  readonly #worker: Worker;
  readonly #watch: Watch;
  readonly #pending: PromiseWithResolvers<StepResult>[] = [];
  #watchdog: NodeJS.Timeout | null = null;
  #lost: RunnerLostError | null = null;
  readonly #whenLost = Promise.withResolvers<RunnerLostError>();
  readonly #ended: Promise<void>;

  private constructor(worker: Worker, facts: RunnerFacts, watch: Watch) {
    this.#worker = worker;
    this.#watch = watch;
    this.facts = facts;
    worker.on('message', (message: FromRunner) => this.#receive(message));
    worker.on('error', (error) => this.#lose(error));
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#lose(new Error(`exit code ${code}`));
        resolve();
      });
    });
  }

  /** Starts the thread and loads the model. Rejects with the reason when it cannot be loaded. */
  static async start(options: RunnerOptions, watch: Watch): Promise<Runner> {
    const worker = new Worker(new URL('runner-thread.ts', import.meta.url), {
      workerData: options,
    });
    return new Runner(worker, await ready(worker), watch);
  }

  /** Resolves when the thread has exited, also after `close`. */
  get whenLost(): Promise<RunnerLostError> {
    return this.#whenLost.promise;
  }

  /** Rejects with `StepError`, or with `RunnerLostError` when the thread has exited. */
  step(step: Step): Promise<StepResult> {
    if (this.#lost) return Promise.reject(this.#lost);
    const pending = Promise.withResolvers<StepResult>();
    this.#pending.push(pending);
    this.#send({ type: 'step', step });
    this.#watchdog ??= setTimeout(this.#watch.onHang, this.#watch.runTimeoutMs);
    return pending.promise;
  }

  keep(embedding: SharedEmbedding): void {
    this.#send({ type: 'embedding', embedding });
  }

  forget(mmHash: string): void {
    this.#send({ type: 'forget', mmHash });
  }

  /** Sets where token masks for constrained sequences come from. */
  connectMasks(connection: MaskConnection): void {
    this.#send({ type: 'masks', connection }, [connection.port]);
  }

  /**
   * Waits for the steps in flight, then stops the thread. Terminating it inside a run would abort
   * the process.
   */
  async close(): Promise<void> {
    await Promise.allSettled(this.#pending.map(({ promise }) => promise));
    if (!this.#lost) this.#send({ type: 'close' });
    await this.#ended;
  }

  #send(message: ToRunner, transfer: readonly MessagePort[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromRunner): void {
    if (message.type !== 'stepped' && message.type !== 'failed') return;
    const made = this.#pending.shift();
    this.#watchNext();
    if (message.type === 'stepped') made?.resolve(message.result);
    else made?.reject(new StepError(message.message));
  }

  /** The next step's time starts when the previous one has ended. */
  #watchNext(): void {
    if (this.#pending.length > 0) {
      this.#watchdog?.refresh();
      return;
    }
    clearTimeout(this.#watchdog ?? undefined);
    this.#watchdog = null;
  }

  #lose(cause: unknown): void {
    this.#lost ??= new RunnerLostError(`The runner thread exited: ${String(cause)}`, { cause });
    this.#whenLost.resolve(this.#lost);
    for (const pending of this.#pending.splice(0)) pending.reject(this.#lost);
    this.#watchNext();
  }
}

function ready(worker: Worker): Promise<RunnerFacts> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void =>
      reject(new Error(`The model could not be loaded: ${cause.message}`, { cause }));
    worker.once('error', failed);
    worker.once('message', (message: FromRunner) => {
      worker.off('error', failed);
      if (message.type === 'ready') resolve(message.facts);
      else failed(new Error(`unexpected first message of the runner: ${message.type}`));
    });
  });
}
