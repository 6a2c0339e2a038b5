import { generateQueueName, type GenerateJob } from '@epd/connector';
import { testConnection } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import { Worker } from 'bullmq';
import type { TestApi } from './test-api.ts';
import { TEST_CARD } from './test-card.ts';
import { end, say, claimJob } from './worker.ts';

/**
 * Takes jobs off the real queue and answers each with the words of its last message: the protocol of
 * a prefill/decode worker without a model. A message that says `wait` is held until the job is ended
 * by somebody else; one that says `fail <code>` fails with that code.
 */
export async function echoWorker(
  t: ExecutionContext,
  { jobs, prefix }: Pick<TestApi, 'jobs' | 'prefix'>,
): Promise<void> {
  const connection = testConnection(t);
  const worker = new Worker<GenerateJob>(
    generateQueueName(TEST_CARD.id),
    async ({ data }) => answerOne(jobs, data.jobId),
    { connection, prefix, concurrency: 8 },
  );
  await worker.waitUntilReady();
  t.teardown(() => worker.close(true));
}

async function answerOne(jobs: TestApi['jobs'], id: string): Promise<void> {
  const claim = await claimJob(jobs, id);
  const text = lastText(claim.job.request.messages.at(-1)?.content ?? '');
  const [first, second] = text.split(' ');
  if (first === 'fail') return fail(jobs, id, claim.fence, second ?? 'broken');
  const pieces = text.split(/(?<= )/).slice(0, claim.job.request.sampling.maxTokens);
  for (let choice = 0; choice < claim.job.request.sampling.n; choice++) {
    for (const [token, piece] of pieces.entries()) await say(jobs, claim, piece, token, choice);
  }
  if (first === 'wait') return;
  await end(jobs, claim, pieces, pieces.join('') === text ? 'stop' : 'length');
}

async function fail(jobs: TestApi['jobs'], id: string, fence: number, code: string): Promise<void> {
  const error = { code, message: `It failed: ${code}`, stage: 'encode', item: 0, retryable: false };
  await jobs.finish(id, { status: 'failed', choices: [], usage: null, timings: {}, error }, fence);
}

function lastText(
  content: string | readonly { readonly type: string; readonly text?: string }[],
): string {
  if (typeof content === 'string') return content;
  return content.map(({ text }) => text ?? '').join('');
}
