import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { Semaphore } from '@epd/connector';
import type { Constraint } from '@epd/constraint';
import type { Logger } from '@epd/service';
import { ConstraintServiceError } from './errors.ts';
import { MaskLink } from './mask-link.ts';
import type {
  FromMaskThread,
  MaskConnection,
  MaskThreadOptions,
  Refused,
  ToMaskThread,
} from './mask-messages.ts';

export interface MaskServiceOptions extends MaskThreadOptions {
  /** A constraint that takes longer to compile terminates the thread. */
  readonly compileMs: number;
  /** The longest that a step waits for one mask. */
  readonly maskMs: number;
  readonly logger?: Pick<Logger, 'info' | 'warn'>;
}

/** The reader of the masks: the runner. */
export interface MaskReader {
  connectMasks(connection: MaskConnection): void;
}

/** Reading the vocabulary adds to the first constraint's time. */
const START_MS = 60_000;

/**
 * The main thread's side of the mask thread. It starts the thread for the first constraint, and
 * again after the thread died, was killed on a timeout, or no longer responds to the runner. Sequences of
 * the dead thread fail as lost. Constraints compile one at a time: each has its timeout to itself.
 */
export class MaskService {
  readonly #options: MaskServiceOptions;
  readonly #runner: MaskReader;
  readonly #turns = new Semaphore(1);
  #thread: Promise<MaskThread> | null = null;

  constructor(options: MaskServiceOptions, runner: MaskReader) {
    this.#options = options;
    this.#runner = runner;
  }

  /**
   * Resolves when the constraint is compiled and sequences may use it. Throws
   * `ConstraintServiceError`.
   */
  async prepare(constraint: Constraint): Promise<void> {
    const refused = await this.#turns.run(async () => {
      const thread = await this.#usable();
      return thread.compile(constraint, this.#options.compileMs);
    });
    if (refused === null) return;
    throw new ConstraintServiceError(
      'constraint_refused',
      `The constraint is refused: ${refused.message}`,
    );
  }

  async close(): Promise<void> {
    const thread = await this.#thread?.catch(() => null);
    this.#thread = null;
    await thread?.end();
  }

  /** The thread; a new one when the runner has given up on it. */
  async #usable(): Promise<MaskThread> {
    const thread = await (this.#thread ?? this.#open());
    if (thread.link.open) return thread;
    this.#thread = null;
    await thread.end();
    return this.#open();
  }

  #open(): Promise<MaskThread> {
    const opened = this.#start();
    this.#thread = opened;
    void this.#forget(opened);
    return opened;
  }

  /** A thread that ended, or never started, is none to wait for. */
  async #forget(opened: Promise<MaskThread>): Promise<void> {
    const thread = await opened.catch(() => null); // its callers get the error
    const reason = await thread?.ended;
    if (this.#thread !== opened) return;
    this.#thread = null;
    if (reason !== undefined) this.#options.logger?.warn({ reason }, 'mask thread exited');
  }

  async #start(): Promise<MaskThread> {
    const { modelFolder, limits, maskMs, logger } = this.#options;
    const thread = new MaskThread({ modelFolder, limits });
    const tokens = await thread.ready(START_MS);
    const { port1, port2 } = new MessageChannel();
    thread.connect(port1);
    const link = thread.link.memory;
    this.#runner.connectMasks({ port: port2, tokens, limitMs: maskMs, link });
    logger?.info({ tokens }, 'mask thread ready');
    return thread;
  }
}

class MaskThread {
  readonly link = new MaskLink();
  readonly ended: Promise<string>;
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<number>();
  readonly #tickets = new Map<number, PromiseWithResolvers<Refused | null>>();
  #next = 0;

  constructor(options: MaskThreadOptions) {
    const worker = new Worker(new URL('mask-thread.ts', import.meta.url), { workerData: options });
    this.#worker = worker;
    worker.on('message', (message: FromMaskThread) => this.#receive(message));
    this.ended = new Promise((resolve) => {
      worker.once('error', (error) => this.#end(String(error), resolve));
      worker.once('exit', (code) => this.#end(`exit code ${code}`, resolve));
    });
    this.#ready.promise.catch(() => undefined);
  }

  /** The size of the vocabulary. */
  ready(limitMs: number): Promise<number> {
    return this.#within(this.#ready.promise, limitMs, 'The vocabulary was not read');
  }

  compile(constraint: Constraint, limitMs: number): Promise<Refused | null> {
    const ticket = this.#next++;
    const answer = Promise.withResolvers<Refused | null>();
    this.#tickets.set(ticket, answer);
    this.#send({ type: 'compile', ticket, constraint });
    return this.#within(answer.promise, limitMs, 'The constraint was not compiled');
  }

  connect(port: MessagePort): void {
    this.#worker.postMessage({ type: 'runner', port } satisfies ToMaskThread, [port]);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  async #within<T>(answer: Promise<T>, limitMs: number, what: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new ConstraintServiceError('constraint_timeout', `${what} within ${limitMs} ms`));
      this.link.replace();
      void this.end();
    }, limitMs);
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(message: FromMaskThread): void {
    if (message.type === 'ready') return this.#ready.resolve(message.tokens);
    this.#tickets.get(message.ticket)?.resolve(message.refused);
    this.#tickets.delete(message.ticket);
  }

  #send(message: ToMaskThread): void {
    this.#worker.postMessage(message, []);
  }

  #end(reason: string, resolve: (reason: string) => void): void {
    const error = new ConstraintServiceError(
      'constraint_lost',
      `The mask thread exited: ${reason}`,
    );
    this.link.lose();
    this.#ready.reject(error);
    for (const ticket of this.#tickets.values()) ticket.reject(error);
    this.#tickets.clear();
    resolve(reason);
  }
}
