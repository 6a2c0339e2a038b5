import type { ECConnectorOutput, ECWorkerConnector } from '@epd/connector';
import type { StoredFile } from './announcer.ts';

interface Waiting {
  readonly resolve: (file: StoredFile | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Tells each item apart in the EC connector's answer, which speaks of all saves at once: an item
 * whose save failed does not fail those beside it.
 */
export class EmbeddingSaver {
  readonly #connector: ECWorkerConnector;
  readonly #waiting = new Map<string, Waiting[]>();
  #flushing = false;

  constructor(connector: ECWorkerConnector) {
    this.#connector = connector;
  }

  /**
   * Resolves when what the encoder cache holds under `mmHash` is durable, with what the connector
   * tells of it, which may be nothing. Rejects when saving failed.
   */
  save(mmHash: string): Promise<StoredFile | null> {
    return new Promise((resolve, reject) => {
      const others = this.#waiting.get(mmHash) ?? [];
      if (others.length === 0) this.#connector.saveCaches(mmHash);
      this.#waiting.set(mmHash, [...others, { resolve, reject }]);
      if (!this.#flushing) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    while (this.#waiting.size > 0) {
      const begun = [...this.#waiting.keys()];
      const failure = await this.#connector.waitForSave().then(
        () => null,
        (error: unknown) => ({ error }),
      );
      this.#report(this.#connector.getFinished());
      for (const { resolve, reject } of begun.flatMap((mmHash) => this.#take(mmHash))) {
        if (failure) reject(failure.error);
        else resolve(null);
      }
    }
    this.#flushing = false;
  }

  #report({ saves = [], failedSending = new Map() }: ECConnectorOutput): void {
    for (const { mmHash, bytes, etag } of saves) {
      for (const { resolve } of this.#take(mmHash)) resolve({ bytes, etag });
    }
    for (const [mmHash, error] of failedSending) {
      for (const { reject } of this.#take(mmHash)) reject(error);
    }
  }

  #take(mmHash: string): readonly Waiting[] {
    const waiting = this.#waiting.get(mmHash) ?? [];
    this.#waiting.delete(mmHash);
    return waiting;
  }
}
