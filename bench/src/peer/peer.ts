import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pinned } from '../pin.ts';
import type { Answer, Question, Target } from '../question.ts';
import { PEER_ENV, type FromPeer, type ToPeer } from './messages.ts';

const STOP_MS = 5_000;

export interface PeerOptions {
  readonly modelDir: string;
  readonly threads: number;
  /** As `taskset -c` takes them; null: any. */
  readonly cores: string | null;
}

interface Waiting {
  readonly submittedMs: number;
  readonly tokenMs: number[];
  readonly tokenIds: number[];
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** The one-process peer, asked over a channel: cheaper than the HTTP and JSON of the fleet's clients. */
export class Peer implements Target {
  readonly name = 'peer';
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message: FromPeer) => this.#hear(message));
    child.once('exit', (code, signal) =>
      this.#fail(new Error(`The peer ended: ${signal ?? code}`)),
    );
  }

  /** Resolves when the model is loaded. `stop` must follow. */
  static async start(options: PeerOptions): Promise<Peer> {
    const { command, args } = pinned(options.cores, process.execPath, [
      join(import.meta.dirname, 'main.ts'),
    ]);
    const child = fork(args.at(-1) ?? '', [], {
      execPath: command,
      execArgv: args.slice(0, -1),
      env: {
        ...process.env,
        [PEER_ENV.modelDir]: options.modelDir,
        [PEER_ENV.threads]: String(options.threads),
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const peer = new Peer(child);
    await once(child, 'message'); // ready
    return peer;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask({ parts, maxTokens, ignoreEos }: Question): Promise<Answer> {
    const id = ++this.#lastId;
    const question: ToPeer = {
      id,
      parts: parts.map((part) => ('text' in part ? part : { imagePath: part.image.path })),
      maxTokens,
      ignoreEos,
    };
    return new Promise((resolve, reject) => {
      const submittedMs = performance.now();
      this.#waiting.set(id, { submittedMs, tokenMs: [], tokenIds: [], resolve, reject });
      this.#child.send(question);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(late);
  }

  #hear(message: FromPeer): void {
    if (message.kind === 'ready') return;
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if (message.kind === 'token') {
      waiting.tokenMs.push(performance.now());
      waiting.tokenIds.push(message.token);
      return;
    }
    this.#waiting.delete(message.id);
    const { submittedMs, tokenMs, tokenIds } = waiting;
    if (message.error !== undefined) waiting.reject(new Error(message.error));
    else waiting.resolve({ submittedMs, tokenMs, tokenIds, endedMs: performance.now() });
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
