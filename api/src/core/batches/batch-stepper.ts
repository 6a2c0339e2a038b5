import { ApiError } from '../../http/errors.ts';
import type { JobEnder } from '../jobs/job-ender.ts';
import type { Files } from '../files/files.ts';
import type { BatchInputs } from './batch-inputs.ts';
import type { BatchLines, ReadLine } from './batch-lines.ts';
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
  readonly batchInputs: BatchInputs;
}

/** Jobs of one batch that are under way at once: enough to keep a fleet busy, few beside others' work. */
const WINDOW = 64;

/** How a batch ends that was validated. */
type Rest = 'completed' | 'cancelled' | 'expired' | 'failed';

const INPUT_GONE: BatchProblem = {
  code: 'input_file_gone',
  message: 'The input file was deleted or expired before all of its requests were done',
  line: null,
  param: 'input_file_id',
};

/**
 * Advances a batch by one step. Every step may be repeated: its state is in Redis, the id of a
 * line's job is derived from the line, and a line has one result. So any process may do the next
 * step.
 */
export class BatchStepper {
  readonly inputs: BatchInputs;
  readonly #parts: StepperParts;
  /** Of the batches that this process works at. Another may have written more: a line has one result. */
  readonly #progress = new Map<string, LineProgress>();

  constructor(parts: StepperParts) {
    this.#parts = parts;
    this.inputs = parts.batchInputs;
  }

  /** The other batches have ended, or belong to another process. */
  keepOnly(ids: ReadonlySet<string>): void {
    this.inputs.keepOnly(ids);
    for (const id of this.#progress.keys()) if (!ids.has(id)) this.#progress.delete(id);
  }

  /** Returns whether the batch has ended. */
  async step(batch: Batch): Promise<boolean> {
    if (batch.status === 'validating') await this.#validate(batch);
    else if (batch.status === 'in_progress') await this.#advance(batch);
    else if (batch.status === 'cancelling') await this.#stop(batch, 'cancelled', 'batch_cancelled');
    else if (batch.status === 'finalizing') await this.#finish(batch, 'completed');
    const latest = await this.#parts.batches.get(batch.id);
    if (latest !== null && !isTerminal(latest)) return false;
    await this.#parts.batches.retire(batch);
    return true;
  }

  async #validate(batch: Batch): Promise<void> {
    const { batches } = this.#parts;
    const problems = await this.inputs.problems(batch);
    if (problems.length > 0) {
      await batches.setProblems(batch.id, problems);
      await batches.enter(batch.id, 'failed', 'validating');
      return;
    }
    await batches.set(batch.id, { total: await this.inputs.count(batch) });
    await batches.enter(batch.id, 'in_progress', 'validating');
  }

  async #advance(batch: Batch): Promise<void> {
    const { batches } = this.#parts;
    const leftMs = batch.expiresAtMs - (await batches.nowMs());
    if (leftMs <= 0) return this.#stop(batch, 'expired', 'batch_expired');
    if ((await this.inputs.count(batch)) !== batch.total) return this.#abandon(batch);
    const progress = await this.#progressOf(batch);
    if (progress.count === batch.total) {
      await batches.enter(batch.id, 'finalizing', 'in_progress');
      return;
    }
    const window = progress.pending(batch.total, WINDOW);
    const there = await Promise.all(window.map((index) => this.#advanceLine(batch, index, leftMs)));
    if (there.includes(false)) await this.#abandon(batch);
  }

  /** False: the input file was deleted. */
  async #advanceLine(batch: Batch, index: number, leftMs: number): Promise<boolean> {
    const { lines } = this.#parts;
    const read: ReadLine = (work) => this.inputs.withLine(batch, index, work);
    try {
      const outcome = await lines.advance(batch, index, read, leftMs);
      if (typeof outcome !== 'string') await this.#record(batch, index, outcome);
      return outcome !== 'gone';
    } catch (error) {
      if (error instanceof ApiError && error.code === 'busy') return true; // at its next turn
      throw error;
    }
  }

  /** Its requests cannot be read any more. */
  async #abandon(batch: Batch): Promise<void> {
    await this.#parts.batches.setProblems(batch.id, [INPUT_GONE]);
    await this.#stop(batch, 'failed', 'batch_failed');
  }

  /** Ends running requests; unfinished ones are named in the error file. */
  async #stop(batch: Batch, status: Exclude<Rest, 'completed'>, code: string): Promise<void> {
    const progress = await this.#progressOf(batch);
    const live = progress.pending(batch.total, WINDOW);
    await Promise.all(live.map((index) => this.#endLine(batch, index)));
    const message = `The batch was ${status} before this request was done`;
    for await (const [index, line] of this.inputs.ids(batch)) {
      if (progress.has(index)) continue;
      const text = unfinishedLine(line, code, message);
      await this.#record(batch, index, { ok: false, line: text });
    }
    await this.#finish(batch, status);
  }

  /**
   * Records the answer of a line that was done before it could be cancelled. Beyond the window no line has
   * a job: it moves on only past lines that have a result.
   */
  async #endLine(batch: Batch, index: number): Promise<void> {
    const { lines: runner, ender } = this.#parts;
    const job = await runner.job(batch, index);
    if (job === null) return;
    const ended = await ender.cancel(job);
    if (ended.status !== 'completed' && ended.status !== 'failed') return;
    await this.inputs.withLine(batch, index, (line) =>
      this.#record(batch, index, runner.result(batch, line, ended)),
    );
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
    const ids = await writeResultFiles(files, batch, batches.results(batch.id, batch.total));
    await batches.set(batch.id, ids);
    await batches.enter(batch.id, status, 'finalizing', 'cancelling', 'in_progress');
  }
}
