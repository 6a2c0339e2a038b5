import { Worker } from 'node:worker_threads';
import type { DigestAnswer, DigestPart } from './digest-messages.ts';

/** The digest of a file that is still arriving. */
export interface RunningDigest {
  /** More of it is there. The bytes lie in shared memory and do not change any more. */
  update(bytes: Uint8Array): void;
  /** Sha256 in hex of all that was given; null when the thread died. */
  end(): Promise<string | null>;
}

/**
 * Digests large files on a thread of its own, so that the time falls beside that of receiving them
 * and the event loop stays free. The thread starts at the first use, and keeps the process alive only
 * while somebody waits for it: it holds nothing that would have to be ended.
 */
class Digester {
  readonly #waiting = new Map<number, (sha256: string | null) => void>();
  #thread: Worker | null = null;
  #lastId = 0;

  begin(): RunningDigest {
    const id = (this.#lastId += 1);
    return {
      update: (bytes) => this.#post({ id, bytes, isLast: false }),
      end: () => this.#end(id),
    };
  }

  #end(id: number): Promise<string | null> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#post({ id, bytes: new Uint8Array(0), isLast: true });
      this.#thread?.ref();
    });
  }

  #post(part: DigestPart): void {
    this.#thread ??= this.#start();
    this.#thread.postMessage(part, []);
  }

  #start(): Worker {
    // Options of the process, such as a script given on its command line, are not for the thread.
    const thread = new Worker(new URL('digest-thread.ts', import.meta.url), { execArgv: [] });
    thread.on('message', ({ id, sha256 }: DigestAnswer) => this.#answer(id, sha256));
    thread.on('error', () => this.#died(thread));
    thread.unref();
    return thread;
  }

  #answer(id: number, sha256: string | null): void {
    this.#waiting.get(id)?.(sha256);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#thread?.unref();
  }

  #died(thread: Worker): void {
    if (this.#thread === thread) this.#thread = null;
    for (const id of this.#waiting.keys()) this.#answer(id, null);
  }
}

const digester = new Digester();

export const beginDigest = (): RunningDigest => digester.begin();
