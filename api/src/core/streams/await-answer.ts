import type { Job, JobStore } from '@epd/jobs';
import type { FastifyReply } from 'fastify';
import { ApiError } from '../../http/errors.ts';
import { mayComeAgain } from '../../http/idempotency.ts';
import type { JobEnder } from '../jobs/job-ender.ts';
import { failureOf } from '../jobs/job-failure.ts';
import { goneSignal } from '../../http/gone-signal.ts';
import { waitForEnd } from './wait-for-end.ts';

/**
 * OpenAI's clients wait ten minutes; a job without a waiting client should not run. One that was asked
 * for with an Idempotency-Key runs on when its caller leaves, for the caller may come again; its deadline,
 * which is the same time, ends it.
 */
export const ANSWER_WITHIN_S = 600;

/**
 * The job with its answer, for a caller who waits for nothing else: when the caller leaves, the job is
 * cancelled, unless it may come again. Throws what became of the job instead of an answer.
 */
export async function awaitAnswer(
  { jobs, ender }: { readonly jobs: JobStore; readonly ender: JobEnder },
  job: Job,
  reply: FastifyReply,
): Promise<Job> {
  const ended = await waitForEnd(jobs, job.id, ANSWER_WITHIN_S * 1000, goneSignal(reply));
  if (ended === null) throw new ApiError('job_cancelled', 'The job was deleted');
  if (ended.ending === null) throw await unanswered(ended, ender, reply);
  const failure = failureOf(ended);
  if (failure !== null) throw failure;
  return ended;
}

async function unanswered(job: Job, ender: JobEnder, reply: FastifyReply): Promise<ApiError> {
  if (reply.server.closing.aborted) {
    return new ApiError('unavailable', 'The server is shutting down; try again', {
      retryAfterS: 1,
    });
  }
  if (!mayComeAgain(reply.request)) await ender.cancel(job);
  return new ApiError('job_expired', `No answer within ${ANSWER_WITHIN_S} s`);
}

/** Frames of a stream whose job is cancelled when the reader leaves, unless it may come again. */
export function endingWithReader(
  frames: AsyncIterable<string>,
  ending: EndingWithReader,
): AsyncIterable<string> {
  const stream = endingLast(frames, ending);
  // For a reader that has left already the stream would never begin, and so never end.
  if (ending.reply.raw.closed) stream.next().catch(() => undefined);
  return stream;
}

async function* endingLast(
  frames: AsyncIterable<string>,
  { job, ender, reader, reply, afterwards }: EndingWithReader,
): AsyncGenerator<string> {
  try {
    yield* frames;
  } finally {
    const left = reader.aborted && !reply.server.closing.aborted;
    if (left && !mayComeAgain(reply.request)) await ender.cancel(job);
    await afterwards?.();
  }
}

interface EndingWithReader {
  readonly job: Job;
  readonly ender: JobEnder;
  /** Aborted when the reader disconnects. */
  readonly reader: AbortSignal;
  readonly reply: FastifyReply;
  /** Called when the stream is over, however it ended. */
  readonly afterwards?: () => Promise<void>;
}
