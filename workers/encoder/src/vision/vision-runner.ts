import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Embedding } from '@epd/connector';
import type { VisionItem } from '@epd/model/preprocess';
import type {
  FromThread,
  Preparation,
  ToThread,
  VisionOptions,
} from '../session/vision-messages.ts';

/** The thread exited or did not start: not the fault of an image. Not an `EncoderError`. */
export class VisionThreadError extends Error {
  override readonly name = 'VisionThreadError';
}

export interface VisionRunnerOptions extends VisionOptions {
  /** A run that takes longer counts as hung. */
  readonly runTimeoutMs: number;
  /** Called once a run hangs. Nothing can stop the run: the callee must exit the process. */
  readonly onHang: () => void;
  /** Called when the thread exits without being asked to. */
  readonly onDeath: (error: VisionThreadError) => void;
}

export interface EncodedImages {
  readonly embeddings: readonly Embedding[];
  /** Time inside the thread. */
  readonly ms: number;
}

interface Waiting {
  readonly resolve: (encoded: EncodedImages) => void;
  readonly reject: (error: Error) => void;
  readonly watchdog: NodeJS.Timeout;
}

/** The main thread's side of the vision encoder. One call at a time makes full use of it. */
export class VisionRunner {
  readonly preparation: Preparation;
  readonly #thread: Worker;
  readonly #options: VisionRunnerOptions;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #closing = false;

  private constructor(thread: Worker, preparation: Preparation, options: VisionRunnerOptions) {
    this.preparation = preparation;
    this.#thread = thread;
    this.#options = options;
    thread.on('message', (message: FromThread) => this.#onMessage(message));
    thread.on('error', (error: Error) => this.#onDeath(error.message));
    thread.on('exit', (code) => this.#onDeath(`exit code ${code}`));
  }

  /** Resolves when the model is loaded. Throws `VisionThreadError` when loading fails. */
  static async start(options: VisionRunnerOptions): Promise<VisionRunner> {
    const { runTimeoutMs: _timeout, onHang: _hang, onDeath: _death, ...workerData } = options;
    const thread = new Worker(new URL('vision-thread.ts', import.meta.url), { workerData });
    try {
      const [ready] = (await once(thread, 'message')) as [FromThread & { type: 'ready' }];
      return new VisionRunner(thread, ready.preparation, options);
    } catch (cause) {
      const message = `The vision encoder cannot be loaded: ${(cause as Error).message}`;
      throw new VisionThreadError(message, { cause });
    }
  }

  /**
   * Rejects when the graph rejects the images, and with `VisionThreadError` when the thread has
   * exited.
   */
  encode(items: readonly VisionItem[], partsPerRun: number): Promise<EncodedImages> {
    if (this.#closing) return Promise.reject(new VisionThreadError('The vision encoder is closed'));
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const watchdog = setTimeout(() => this.#options.onHang(), this.#options.runTimeoutMs);
      this.#waiting.set(id, { resolve, reject, watchdog });
      this.#send({ type: 'encode', id, items, partsPerRun });
    });
  }

  /** Waits for its runs, then stops the thread. Safe to call again. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const ended = once(this.#thread, 'exit');
    this.#send({ type: 'close' });
    await ended;
  }

  #send(message: ToThread): void {
    this.#thread.postMessage(message, []);
  }

  #onMessage(message: FromThread): void {
    if (message.type === 'ready') return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    clearTimeout(waiting?.watchdog);
    if (message.type === 'encoded') waiting?.resolve(message);
    else waiting?.reject(new Error(message.message));
  }

  #onDeath(why: string): void {
    const error = new VisionThreadError(`The vision encoder's thread exited: ${why}`);
    for (const { reject, watchdog } of this.#waiting.values()) {
      clearTimeout(watchdog);
      reject(error);
    }
    this.#waiting.clear();
    if (this.#closing) return;
    this.#closing = true;
    this.#options.onDeath(error);
  }
}
