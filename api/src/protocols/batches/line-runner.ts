import { createHash } from 'node:crypto';
import type { Job, JobStore } from '@epd/jobs';
import type { Logger } from '@epd/service';
import type { Acceptor } from '../../core/accept/acceptor.ts';
import type { Submission } from '../../core/accept/submission.ts';
import type { Tenants } from '../../core/auth/tenants.ts';
import { internalError, isOutage } from '../../http/error-handler.ts';
import { ApiError } from '../../http/errors.ts';
import { chatSubmission } from '../chat/submission.ts';
import { responseContext } from '../responses/context.ts';
import { responseSubmission } from '../responses/submission.ts';
import type { MemoryHold } from '../../http/memory-budget.ts';
import type { RequestFacts } from '../../http/request-facts.ts';
import { ChatCompletionBody } from '../chat/schema.ts';
import { ResponseBody } from '../responses/schema.ts';
import { withTypedItems } from '../responses/typed-items.ts';
import type { Tenant } from '../../core/auth/tenant.ts';
import { withoutNulls } from '../../http/drop-nulls.ts';
import { bodyChecker } from '../../http/validation.ts';
import { chatCompletion } from '../chat/view.ts';
import { failureOf } from '../../core/jobs/job-failure.ts';
import { responseView } from '../responses/view.ts';
import type { BatchLine } from '../../core/batches/batch-input.ts';
import type { BatchLines, ReadLine } from '../../core/batches/batch-lines.ts';
import type { Batch, LineResult } from '../../core/batches/batch-record.ts';
import { answeredLine, failedLine } from '../../core/batches/result-line.ts';

interface LineRunnerParts {
  readonly jobs: JobStore;
  readonly acceptor: Acceptor;
  readonly tenants: Pick<Tenants, 'get'>;
  readonly log?: Pick<Logger, 'error'>;
}

/** How a line becomes a job. */
interface LineOptions {
  /** Of the job. */
  readonly id: string;
  readonly memory: MemoryHold;
  /** Until the batch's window ends. */
  readonly leftMs: number;
}

/** Batches have a day; callers that wait for an answer go first. */
const BATCH_PRIORITY = 50;

const checkChat = bodyChecker(ChatCompletionBody);
const checkResponse = bodyChecker(ResponseBody);

/** Runs single lines of batches, each as a durable job whose id follows from batch and line. */
export class BatchLineRunner implements BatchLines {
  readonly #parts: LineRunnerParts;
  /** Batches of which no line is submitted before a time: one was refused for now, and the others would be. */
  readonly #pausedUntil = new Map<string, number>();

  constructor(parts: LineRunnerParts) {
    this.#parts = parts;
  }

  async advance(
    batch: Batch,
    index: number,
    read: ReadLine,
    leftMs: number,
  ): Promise<LineResult | 'waiting' | 'gone'> {
    const id = lineJobId(batch.id, index);
    const job = await this.#parts.jobs.get(id);
    if (job !== null && job.ending === null) return 'waiting';
    if (job === null && this.#isPaused(batch.id)) return 'waiting';
    const outcome = await read((line, memory) =>
      job === null
        ? this.#submit(batch, line, { id, memory, leftMs })
        : this.result(batch, line, job),
    );
    return outcome ?? 'gone';
  }

  async #submit(
    batch: Batch,
    line: BatchLine,
    options: LineOptions,
  ): Promise<LineResult | 'waiting'> {
    const { id } = options;
    try {
      const tenant = await this.#parts.tenants.get(batch.tenant);
      await this.#parts.acceptor.accept(await this.#submission(batch, line, tenant, options));
      return 'waiting';
    } catch (error) {
      if (error instanceof ApiError && isFinal(error)) return failedLine(line, id, error);
      if (error instanceof ApiError) return this.#pause(batch.id, error);
      if (isOutage(error)) return 'waiting';
      this.#parts.log?.error({ err: error, batch: batch.id, job: id }, 'batch line failed');
      return failedLine(line, id, internalError(error));
    }
  }

  #isPaused(id: string): boolean {
    const until = this.#pausedUntil.get(id);
    if (until === undefined || until > performance.now()) return until !== undefined;
    this.#pausedUntil.delete(id);
    return false;
  }

  #pause(id: string, { retryAfterS }: ApiError): 'waiting' {
    const until = performance.now() + (retryAfterS ?? 0) * 1000;
    for (const [other, end] of this.#pausedUntil) {
      if (end <= performance.now()) this.#pausedUntil.delete(other);
    }
    this.#pausedUntil.set(id, until);
    return 'waiting';
  }

  job(batch: Batch, index: number): Promise<Job | null> {
    return this.#parts.jobs.get(lineJobId(batch.id, index));
  }

  async #submission(
    batch: Batch,
    { body }: BatchLine,
    tenant: Tenant,
    { id, memory, leftMs }: LineOptions,
  ): Promise<Submission> {
    const facts: RequestFacts = {
      id: batch.id,
      tenant,
      memory,
      headers: {},
      receivedAtMs: Date.now(),
      bodySha256: '',
    };
    const submission =
      batch.endpoint === '/v1/chat/completions'
        ? chatSubmission(facts, notStreamed(checkChat(withoutNulls(body))))
        : await this.#response(facts, body);
    const finishWithinS = Math.max(1, leftMs / 1000);
    const priority = Math.max(BATCH_PRIORITY, tenant.limits.minPriority);
    return { ...submission, id, priority, finishWithinS };
  }

  async #response(facts: RequestFacts, sent: BatchLine['body']): Promise<Submission> {
    const body = notStreamed(checkResponse(withTypedItems(withoutNulls(sent))));
    const context = await responseContext(this.#parts.jobs, body, facts.tenant);
    return responseSubmission(facts, body, context);
  }

  result(batch: Batch, line: BatchLine, job: Job): LineResult {
    const failure = failureOf(job);
    if (failure !== null) return failedLine(line, job.id, failure);
    const isChat = batch.endpoint === '/v1/chat/completions';
    return answeredLine(line, job.id, isChat ? chatCompletion(job) : responseView(job));
  }
}

/** A temporary refusal is like an outage: the line is retried at its next turn. */
const isFinal = ({ statusCode }: ApiError): boolean => statusCode < 500 && statusCode !== 429;

const lineJobId = (batchId: string, index: number): string =>
  `job_${createHash('sha256').update(`${batchId} ${index}`).digest('hex').slice(0, 32)}`;

function notStreamed<B extends { stream?: boolean }>(body: B): B {
  if (body.stream !== true) return body;
  throw new ApiError('invalid_value', 'stream: expected false in a batch, got true', {
    param: 'stream',
  });
}
