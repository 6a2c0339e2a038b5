import { withConnectorStep, type ECConnector, type ECConnectorOutput } from '@epd/connector';
import type { StoredFile } from './announcer.ts';

interface Waiting {
  readonly resolve: (file: StoredFile | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Saves through the EC connector, in steps that end when their saves have ended. The connector
 * reports all saves of a step together; this class reports them per item, so that a failed save
 * does not fail the others.
 */
export class EmbeddingSaver {
  readonly #connector: Pick<ECConnector, 'scheduler' | 'worker'>;
  readonly #waiting = new Map<string, Waiting[]>();
  /** Items of `#waiting` whose save has not begun: they arrived between two steps. */
  readonly #unbegun = new Set<string>();
  #flushing = false;
  #inStep = false;

  constructor(connector: Pick<ECConnector, 'scheduler' | 'worker'>) {
    this.#connector = connector;
  }

  /**
   * Resolves when the encoder cache's embedding `mmHash` is saved, with the connector's report of
   * it, if any. Rejects when saving failed.
   */
  save(mmHash: string): Promise<StoredFile | null> {
    return new Promise((resolve, reject) => {
      const others = this.#waiting.get(mmHash) ?? [];
      if (others.length === 0) this.#unbegun.add(mmHash);
      this.#waiting.set(mmHash, [...others, { resolve, reject }]);
      if (this.#inStep) this.#begin();
      else if (!this.#flushing) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    while (this.#waiting.size > 0) await this.#step();
    this.#flushing = false;
  }

  /**
   * Ends when all saves that waited at its start have ended; saves that arrive meanwhile begin at
   * once.
   */
  async #step(): Promise<void> {
    const { scheduler, worker } = this.#connector;
    const metadata = scheduler.buildConnectorMeta();
    const { result, output } = await withConnectorStep(worker, metadata, () => this.#saveAll());
    scheduler.updateConnectorOutput(output);
    this.#report(output);
    for (const { resolve, reject } of result.begun.flatMap((mmHash) => this.#take(mmHash))) {
      if (result.failure) reject(result.failure.error);
      else resolve(null);
    }
  }

  async #saveAll(): Promise<{ begun: readonly string[]; failure: { error: unknown } | null }> {
    this.#inStep = true;
    this.#begin();
    const begun = [...this.#waiting.keys()];
    const failure = await this.#connector.worker.waitForSave().then(
      () => null,
      (error: unknown) => ({ error }),
    );
    this.#inStep = false;
    return { begun, failure };
  }

  #begin(): void {
    for (const mmHash of this.#unbegun) {
      this.#unbegun.delete(mmHash);
      try {
        this.#connector.worker.saveCaches(mmHash);
      } catch (error) {
        for (const { reject } of this.#take(mmHash)) reject(error);
      }
    }
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
