import { createHash } from 'node:crypto';
import type { Job, JobStore } from '@epd/jobs';
import type { Acceptor } from '../accept/acceptor.ts';
import type { Submission } from '../accept/submission.ts';
import type { Tenants } from '../auth/tenants.ts';
import { ApiError, errorBody } from '../errors.ts';
import { chatSubmission } from '../routes/chat-submission.ts';
import { withoutNulls } from '../routes/drop-nulls.ts';
import { responseSubmission } from '../routes/response-submission.ts';
import type { RequestFacts } from '../routes/request-facts.ts';
import { ChatCompletionBody } from '../schemas/chat-completions.ts';
import { ResponseBody } from '../schemas/responses.ts';
import type { Tenant } from '../tenant.ts';
import { bodyChecker } from '../validation.ts';
import { chatCompletion } from '../views/chat-completion.ts';
import { failureOf } from '../views/job-failure.ts';
import { responseView } from '../views/response-view.ts';
import type { BatchLine } from './batch-input.ts';
import type { Batch, LineResult } from './batch-record.ts';

interface LineRunnerParts {
  readonly jobs: JobStore;
  readonly acceptor: Acceptor;
  readonly tenants: Pick<Tenants, 'get'>;
}

/** Batches have a day; whoever waits for an answer goes first. */
const BATCH_PRIORITY = 50;

const checkChat = bodyChecker(ChatCompletionBody);
const checkResponse = bodyChecker(ResponseBody);

/** Runs single lines of batches, each as a durable job whose id follows from batch and line. */
export class BatchLineRunner {
  readonly #parts: LineRunnerParts;

  constructor(parts: LineRunnerParts) {
    this.#parts = parts;
  }

  /** Submits the line unless it was, and returns its result once there is one. Null: not yet. */
  async advance(
    batch: Batch,
    index: number,
    line: BatchLine,
    leftMs: number,
  ): Promise<LineResult | null> {
    const id = lineJobId(batch.id, index);
    const job = await this.#parts.jobs.get(id);
    if (job !== null) return job.ending === null ? null : resultOf(batch, line, job);
    try {
      const tenant = await this.#parts.tenants.get(batch.tenant);
      await this.#parts.acceptor.accept(submissionOf(batch, line, id, tenant, leftMs));
      return null;
    } catch (error) {
      return error instanceof ApiError && isFinal(error) ? failedLine(line, error) : null;
    }
  }

  job(batch: Batch, index: number): Promise<Job | null> {
    return this.#parts.jobs.get(lineJobId(batch.id, index));
  }
}

/** Anything else passes: the line is tried again at its next turn. */
const isFinal = ({ statusCode }: ApiError): boolean => statusCode < 500 && statusCode !== 429;

const lineJobId = (batchId: string, index: number): string =>
  `job_${createHash('sha256').update(`${batchId} ${index}`).digest('hex').slice(0, 32)}`;

function submissionOf(
  batch: Batch,
  { body }: BatchLine,
  id: string,
  tenant: Tenant,
  leftMs: number,
): Submission {
  const facts: RequestFacts = {
    id: batch.id,
    tenant,
    headers: {},
    receivedAtMs: Date.now(),
    bodySha256: '',
  };
  const submission =
    batch.endpoint === '/v1/chat/completions'
      ? chatSubmission(facts, notStreamed(checkChat(withoutNulls(body))))
      : responseSubmission(facts, notStreamed(checkResponse(withoutNulls(body))), null);
  const finishWithinS = Math.max(1, leftMs / 1000);
  return { ...submission, id, priority: BATCH_PRIORITY, finishWithinS };
}

function notStreamed<B extends { stream?: boolean }>(body: B): B {
  if (body.stream !== true) return body;
  throw new ApiError('invalid_value', 'stream: expected false in a batch, got true', {
    param: 'stream',
  });
}

/** Of a line whose job has ended. */
export function resultOf(batch: Batch, line: BatchLine, job: Job): LineResult {
  const failure = failureOf(job);
  if (failure !== null) return failedLine(line, failure);
  const body = batch.endpoint === '/v1/chat/completions' ? chatCompletion(job) : responseView(job);
  return { ok: true, line: lineText(line, job.id, { status_code: 200, body }, null) };
}

function failedLine(line: BatchLine, { code, statusCode, message, param }: ApiError): LineResult {
  const body = errorBody(code, statusCode, message, param);
  return { ok: false, line: lineText(line, '', { status_code: statusCode, body }, null) };
}

/** For a line that had not ended when its batch did. */
export const unfinishedLine = (line: BatchLine, code: string, message: string): string =>
  lineText(line, '', null, { code, message });

function lineText(
  { customId }: BatchLine,
  jobId: string,
  response: { status_code: number; body: unknown } | null,
  error: { code: string; message: string } | null,
): string {
  const digest = createHash('sha256').update(`${customId} ${jobId}`).digest('hex').slice(0, 24);
  return JSON.stringify({
    id: `batch_req_${digest}`,
    custom_id: customId,
    response: response === null ? null : { request_id: jobId, ...response },
    error,
  });
}
