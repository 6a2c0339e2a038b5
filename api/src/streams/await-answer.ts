import type { Job } from '@epd/jobs';
import type { FastifyReply } from 'fastify';
import { ApiError } from '../errors.ts';
import type { Services } from '../services.ts';
import { failureOf } from '../views/job-failure.ts';
import { goneSignal } from './gone-signal.ts';
import { waitForEnd } from './wait-for-end.ts';

/** OpenAI's clients wait ten minutes; a job that nobody waits for any more should not run. */
export const ANSWER_WITHIN_S = 600;

/**
 * The job with its answer, for a caller who waits for nothing else: when the caller leaves, the job is
 * cancelled. Throws what became of the job instead of an answer.
 */
export async function awaitAnswer(
  { jobs, ender }: Pick<Services, 'jobs' | 'ender'>,
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

async function unanswered(
  job: Job,
  ender: Services['ender'],
  reply: FastifyReply,
): Promise<ApiError> {
  if (reply.server.closing.aborted) {
    return new ApiError('unavailable', 'The server is stopping; ask again', { retryAfterS: 1 });
  }
  await ender.cancel(job);
  return new ApiError('job_expired', `No answer within ${ANSWER_WITHIN_S} s`);
}

/** Frames of a stream whose job is cancelled when the reader leaves. */
export async function* endingWithReader(
  frames: AsyncIterable<string>,
  { job, ender, reader, closing }: EndingWithReader,
): AsyncGenerator<string> {
  try {
    yield* frames;
  } finally {
    if (reader.aborted && !closing.aborted) await ender.cancel(job);
  }
}

interface EndingWithReader {
  readonly job: Job;
  readonly ender: Services['ender'];
  /** Aborted when the reader is gone. */
  readonly reader: AbortSignal;
  readonly closing: AbortSignal;
}
