import { Worker } from 'node:worker_threads';
import { ModelError, type Prompt } from '@epd/model';
import { PromptFailedError } from './errors.ts';
import type { FromPromptThread, PromptRequest, PromptThreadOptions } from './messages.ts';

export interface LaneLimits {
  /** Time limit of one prompt in milliseconds; after that its thread is terminated. */
  readonly timeoutMs: number;
  /** Heap limit of the thread, in MiB. */
  readonly heapMib: number;
  /** An idle thread exits after this time; null: never. */
  readonly idleMs: number | null;
}

interface Pending {
  readonly request: PromptRequest;
  readonly signal: AbortSignal;
  readonly resolve: (prompt: Prompt) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Builds prompts one after the other in its own thread.
 *
 * no thread → starting → ready ⇄ building; an error or a timeout ends the thread, and the next
 * prompt starts another. At most one prompt is `#current`; its time counts from when the thread is
 * ready.
 */
export class PromptLane {
  readonly #options: PromptThreadOptions;
  readonly #limits: LaneLimits;
  readonly #queue: Pending[] = [];
  #thread: Worker | null = null;
  #ready = false;
  #current: Pending | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PromptThreadOptions, limits: LaneLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  /**
   * Rejects with `ModelError` for messages that are no valid prompt, with `PromptFailedError` for a
   * prompt that exceeded the limits, and with the signal's reason when it is aborted.
   */
  build(request: PromptRequest, signal: AbortSignal): Promise<Prompt> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, signal, resolve, reject });
      this.#next();
    });
  }

  /** Starts the thread before the first prompt needs it. */
  warm(): void {
    if (this.#thread === null) this.#start();
  }

  close(): void {
    const closed = new Error('The prompt lane is closed');
    for (const pending of this.#queue.splice(0)) pending.reject(closed);
    this.#end(closed);
  }

  #next(): void {
    if (this.#current) return;
    const next = this.#queue.shift();
    if (!next) return this.#rest();
    if (next.signal.aborted) {
      next.reject(next.signal.reason);
      return this.#next();
    }
    clearTimeout(this.#timer);
    this.#current = next;
    if (this.#thread === null) return this.#start();
    this.#thread.ref();
    this.#send();
  }

  #start(): void {
    const { heapMib } = this.#limits;
    const thread = new Worker(new URL('prompt-thread.ts', import.meta.url), {
      workerData: this.#options,
      resourceLimits: { maxOldGenerationSizeMb: heapMib },
    });
    this.#thread = thread;
    this.#ready = false;
    const mine = (act: () => void) => () => {
      if (this.#thread === thread) act();
    };
    thread.on('message', (message: FromPromptThread) => mine(() => this.#receive(message))());
    thread.on('error', (error) => mine(() => this.#end(this.#blame(error)))());
    thread.on('exit', (code) => mine(() => this.#end(new Error(`exit code ${code}`)))());
  }

  #receive(message: FromPromptThread): void {
    if (message.type === 'ready') {
      this.#ready = true;
      return this.#current ? this.#send() : this.#rest();
    }
    const pending = this.#take();
    if (message.type === 'refused') pending?.reject(new ModelError(message.code, message.message));
    else pending?.resolve(promptOf(message));
    this.#next();
  }

  #send(): void {
    if (!this.#current || !this.#ready) return;
    this.#thread?.postMessage(this.#current.request, []);
    const { timeoutMs } = this.#limits;
    const late = new PromptFailedError(
      'prompt_timeout',
      `Building the prompt took longer than ${timeoutMs} ms`,
    );
    this.#timer = setTimeout(() => this.#end(late), timeoutMs);
  }

  /**
   * A thread that dies while it builds a prompt indicates a bad prompt; one that never started does
   * not.
   */
  #blame(error: Error): Error {
    if (!this.#ready)
      return new Error(`The prompt thread did not start: ${error.message}`, { cause: error });
    return new PromptFailedError('prompt_failed', `The prompt cannot be built: ${error.message}`, {
      cause: error,
    });
  }

  #end(reason: Error): void {
    const thread = this.#thread;
    this.#thread = null;
    void thread?.terminate();
    this.#take()?.reject(reason);
    this.#next();
  }

  #take(): Pending | null {
    clearTimeout(this.#timer);
    const taken = this.#current;
    this.#current = null;
    return taken;
  }

  #rest(): void {
    const { idleMs } = this.#limits;
    // An idle thread does not keep the process alive.
    this.#thread?.unref();
    if (idleMs === null || this.#thread === null) return;
    this.#timer = setTimeout(() => this.#end(new Error('idle')), idleMs).unref();
  }
}

const promptOf = ({
  tokens,
  spans,
  positions,
  opensReasoning,
}: FromPromptThread & { type: 'built' }): Prompt => ({
  tokens: Array.from(tokens),
  spans,
  positions,
  opensReasoning,
});
