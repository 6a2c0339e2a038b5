import type { JobEnder } from '../accept/job-ender.ts';
import { ApiError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { readBatchInput, type BatchInput } from './batch-input.ts';
import { unfinishedLine, type BatchLineRunner } from './batch-line-runner.ts';
import { isTerminal, type Batch } from './batch-record.ts';
import type { BatchStore } from './batch-store.ts';

interface StepperParts {
  readonly batches: BatchStore;
  readonly files: Files;
  readonly lines: BatchLineRunner;
  readonly ender: JobEnder;
}

/** Jobs of one batch that are under way at once: enough to keep a fleet busy, few beside others' work. */
const WINDOW = 64;

/**
 * Moves a batch on by one step. Every step may be repeated: its state is in Redis, a line's job has an
 * id that follows from the line, and a line has one result. So any process may do the next step.
 */
export class BatchStepper {
  readonly #parts: StepperParts;
  /** Parsed inputs of batches that this process works at. */
  readonly #inputs = new Map<string, BatchInput>();

  constructor(parts: StepperParts) {
    this.#parts = parts;
  }

  /** Returns whether the batch is at rest. */
  async step(batch: Batch): Promise<boolean> {
    if (batch.status === 'validating') await this.#validate(batch);
    else if (batch.status === 'in_progress') await this.#advance(batch);
    else if (batch.status === 'cancelling') await this.#stop(batch, 'cancelled', 'batch_cancelled');
    else if (batch.status === 'finalizing') await this.#finish(batch, 'completed');
    const latest = await this.#parts.batches.get(batch.id);
    if (latest !== null && !isTerminal(latest)) return false;
    this.#inputs.delete(batch.id);
    await this.#parts.batches.retire(batch.id);
    return true;
  }

  async #validate(batch: Batch): Promise<void> {
    const { batches } = this.#parts;
    const { lines, problems } = await this.#input(batch);
    if (problems.length > 0) {
      await batches.setProblems(batch.id, problems);
      await batches.enter(batch.id, 'failed', 'validating');
      return;
    }
    await batches.set(batch.id, { total: lines.length });
    await batches.enter(batch.id, 'in_progress', 'validating');
  }

  async #advance(batch: Batch): Promise<void> {
    const { batches, lines: runner } = this.#parts;
    const leftMs = batch.expiresAtMs - (await batches.nowMs());
    if (leftMs <= 0) return this.#stop(batch, 'expired', 'batch_expired');
    const { lines } = await this.#input(batch);
    const done = await batches.done(batch.id);
    if (done.size === lines.length) {
      await batches.enter(batch.id, 'finalizing', 'in_progress');
      return;
    }
    await Promise.all(
      pending(lines.length, done, WINDOW).map(async (index) => {
        const line = lines[index];
        const result = line === undefined ? null : await runner.advance(batch, index, line, leftMs);
        if (result !== null) await batches.record(batch.id, index, result);
      }),
    );
  }

  /** Ends what is under way; what has not ended by itself is named in the error file. */
  async #stop(batch: Batch, status: 'cancelled' | 'expired', code: string): Promise<void> {
    const { batches, lines: runner, ender } = this.#parts;
    const { lines } = await this.#input(batch);
    const done = await batches.done(batch.id);
    for (const index of pending(lines.length, done, WINDOW)) {
      const job = await runner.job(batch, index);
      if (job !== null) await ender.cancel(job);
    }
    for (const index of pending(lines.length, done, lines.length)) {
      const line = lines[index];
      if (line === undefined) continue;
      const text = unfinishedLine(
        line,
        code,
        `The batch was ${status} before this request was done`,
      );
      await batches.record(batch.id, index, { ok: false, line: text });
    }
    await this.#finish(batch, status);
  }

  async #finish(batch: Batch, status: 'completed' | 'cancelled' | 'expired'): Promise<void> {
    const { batches } = this.#parts;
    const results = await batches.results(batch.id);
    const inOrder = [...results].toSorted(([a], [b]) => a - b).map(([, result]) => result);
    const outputFileId = await this.#write(
      batch,
      'output',
      inOrder.filter(({ ok }) => ok),
    );
    const errorFileId = await this.#write(
      batch,
      'errors',
      inOrder.filter(({ ok }) => !ok),
    );
    await batches.set(batch.id, { outputFileId, errorFileId });
    await batches.enter(batch.id, status, 'finalizing', 'cancelling', 'in_progress');
  }

  async #write(
    { id, tenant }: Batch,
    what: string,
    results: readonly { readonly line: string }[],
  ): Promise<string | null> {
    if (results.length === 0) return null;
    const file = await this.#parts.files.add({
      tenant,
      filename: `${id}_${what}.jsonl`,
      purpose: 'batch_output',
      bytes: Buffer.from(results.map(({ line }) => `${line}\n`).join('')),
      expiresAfterS: null,
    });
    return file.id;
  }

  async #input(batch: Batch): Promise<BatchInput> {
    const known = this.#inputs.get(batch.id);
    if (known !== undefined) return known;
    const input = readBatchInput(await this.#read(batch), batch.endpoint);
    this.#inputs.set(batch.id, input);
    return input;
  }

  /** A file that was deleted in the meantime reads as an empty one. */
  async #read({ tenant, inputFileId }: Batch): Promise<Uint8Array> {
    try {
      return await this.#parts.files.content(await this.#parts.files.get(tenant, inputFileId));
    } catch (error) {
      if (error instanceof ApiError && error.code === 'file_not_found') return new Uint8Array();
      throw error;
    }
  }
}

/** The first `limit` lines without a result. */
function pending(total: number, done: ReadonlySet<number>, limit: number): number[] {
  const indices: number[] = [];
  for (let index = 0; index < total && indices.length < limit; index++) {
    if (!done.has(index)) indices.push(index);
  }
  return indices;
}
