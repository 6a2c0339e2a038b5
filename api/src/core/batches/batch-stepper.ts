import type { JobEnder } from '../jobs/job-ender.ts';
import type { Files } from '../files/files.ts';
import type { BatchLine } from './batch-input.ts';
import { BatchInputs } from './batch-inputs.ts';
import type { BatchLines } from './batch-lines.ts';
import { isTerminal, type Batch, type BatchProblem, type LineResult } from './batch-record.ts';
import type { BatchStore } from './batch-store.ts';
import { LineProgress } from './line-progress.ts';
import { writeResultFiles } from './result-files.ts';
import { unfinishedLine } from './result-line.ts';

interface StepperParts {
  readonly batches: BatchStore;
  readonly files: Files;
  readonly lines: BatchLines;
  readonly ender: JobEnder;
}

/** Jobs of one batch that are under way at once: enough to keep a fleet busy, few beside others' work. */
const WINDOW = 64;

/** How a batch ends that was validated. */
type Rest = 'completed' | 'cancelled' | 'expired' | 'failed';

const INPUT_GONE: BatchProblem = {
  code: 'input_file_gone',
  message: 'The input file was deleted, or expired, before all of its requests were done',
  line: null,
  param: 'input_file_id',
};

/**
 * Moves a batch on by one step. Every step may be repeated: its state is in Redis, a line's job has an
 * id that follows from the line, and a line has one result. So any process may do the next step.
 */
export class BatchStepper {
  readonly inputs: BatchInputs;
  readonly #parts: StepperParts;
  /** Of the batches that this process works at. Another may have written more: a line has one result. */
  readonly #progress = new Map<string, LineProgress>();

  constructor(parts: StepperParts) {
    this.#parts = parts;
    this.inputs = new BatchInputs(parts.files);
  }

  /** The other batches are at rest, or another process's. */
  keepOnly(ids: ReadonlySet<string>): void {
    this.inputs.keepOnly(ids);
    for (const id of this.#progress.keys()) if (!ids.has(id)) this.#progress.delete(id);
  }

  /** Returns whether the batch is at rest. */
  async step(batch: Batch): Promise<boolean> {
    if (batch.status === 'validating') await this.#validate(batch);
    else if (batch.status === 'in_progress') await this.#advance(batch);
    else if (batch.status === 'cancelling') await this.#stop(batch, 'cancelled', 'batch_cancelled');
    else if (batch.status === 'finalizing') await this.#finish(batch, 'completed');
    const latest = await this.#parts.batches.get(batch.id);
    if (latest !== null && !isTerminal(latest)) return false;
    await this.#parts.batches.retire(batch.id);
    return true;
  }

  async #validate(batch: Batch): Promise<void> {
    const { batches } = this.#parts;
    const { lines, problems } = await this.inputs.of(batch);
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
    const { lines } = await this.inputs.of(batch);
    if (lines.length !== batch.total) return this.#abandon(batch);
    const progress = await this.#progressOf(batch);
    if (progress.count === lines.length) {
      await batches.enter(batch.id, 'finalizing', 'in_progress');
      return;
    }
    await Promise.all(
      progress.pending(lines.length, WINDOW).map(async (index) => {
        const line = lines[index];
        const result = line === undefined ? null : await runner.advance(batch, index, line, leftMs);
        if (result !== null) await this.#record(batch, index, result);
      }),
    );
  }

  /** What is asked for cannot be known any more. */
  async #abandon(batch: Batch): Promise<void> {
    await this.#parts.batches.setProblems(batch.id, [INPUT_GONE]);
    await this.#stop(batch, 'failed', 'batch_failed');
  }

  /** Ends what is under way; what has not ended by itself is named in the error file. */
  async #stop(batch: Batch, status: Exclude<Rest, 'completed'>, code: string): Promise<void> {
    const { lines } = await this.inputs.of(batch);
    const progress = await this.#progressOf(batch);
    const live = progress.pending(batch.total, WINDOW);
    await Promise.all(live.map((index) => this.#endLine(batch, index, lines[index])));
    for (const index of progress.pending(lines.length, lines.length)) {
      const line = lines[index];
      if (line === undefined) continue;
      const text = unfinishedLine(
        line,
        code,
        `The batch was ${status} before this request was done`,
      );
      await this.#record(batch, index, { ok: false, line: text });
    }
    await this.#finish(batch, status);
  }

  /**
   * Records the answer of a line that was done before it could be cancelled. Beyond the window no line has
   * a job: it moves on only past lines that have a result.
   */
  async #endLine(batch: Batch, index: number, line: BatchLine | undefined): Promise<void> {
    const { lines: runner, ender } = this.#parts;
    const job = await runner.job(batch, index);
    if (job === null) return;
    const ended = await ender.cancel(job);
    if (line === undefined || (ended.status !== 'completed' && ended.status !== 'failed')) return;
    await this.#record(batch, index, runner.result(batch, line, ended));
  }

  async #record(batch: Batch, index: number, result: LineResult): Promise<void> {
    await this.#parts.batches.record(batch.id, index, result);
    this.#progress.get(batch.id)?.add(index);
  }

  async #progressOf({ id }: Batch): Promise<LineProgress> {
    const known = this.#progress.get(id);
    if (known !== undefined) return known;
    const progress = new LineProgress(await this.#parts.batches.done(id));
    this.#progress.set(id, progress);
    return progress;
  }

  async #finish(batch: Batch, status: Rest): Promise<void> {
    const { batches, files } = this.#parts;
    const ids = await writeResultFiles(files, batch, await batches.results(batch.id));
    await batches.set(batch.id, ids);
    await batches.enter(batch.id, status, 'finalizing', 'cancelling', 'in_progress');
  }
}
