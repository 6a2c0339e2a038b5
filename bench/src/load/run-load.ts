import type { Answer, Question, Target } from '../question.ts';
import { summarize, type Summary } from '../percentiles.ts';

/** The results of one run of a load against one target. Times in milliseconds. */
export interface LoadStats {
  readonly requestsPerS: number;
  readonly tokensPerS: number;
  readonly wallMs: number;
  readonly latency: Summary;
  readonly ttft: Summary;
  readonly tpot: Summary;
  /** Of each request in the order of the questions. */
  readonly latencyMs: readonly number[];
}

export interface LoadResult {
  readonly stats: LoadStats;
  /** In the order of the questions. */
  readonly answers: readonly Answer[];
}

/** Asks every question, `concurrency` at a time, the next as soon as one is answered (a closed loop). */
export async function runLoad(
  target: Target,
  questions: readonly Question[],
  concurrency: number,
): Promise<LoadResult> {
  const answers: Answer[] = [];
  const queue = questions.entries();
  const beganMs = performance.now();
  const reader = async (): Promise<void> => {
    for (const [index, question] of queue) answers[index] = await target.ask(question);
  };
  await Promise.all(Array.from({ length: concurrency }, reader));
  return { answers, stats: statsOf(answers, performance.now() - beganMs) };
}

function statsOf(answers: readonly Answer[], wallMs: number): LoadStats {
  const latencyMs = answers.map(({ submittedMs, endedMs }) => endedMs - submittedMs);
  const tokens = answers.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
  return {
    requestsPerS: (answers.length * 1000) / wallMs,
    tokensPerS: (tokens * 1000) / wallMs,
    wallMs,
    latency: summarize(latencyMs),
    ttft: summarize(answers.flatMap(timeToFirstToken)),
    tpot: summarize(answers.flatMap(timePerToken)),
    latencyMs,
  };
}

export const timeToFirstToken = ({ submittedMs, tokenMs: [first] }: Answer): number[] =>
  first === undefined ? [] : [first - submittedMs];

/** Mean time between an answer's tokens; nothing for an answer of one. */
export function timePerToken({ tokenMs }: Answer): number[] {
  const [first, last] = [tokenMs[0], tokenMs.at(-1)];
  if (first === undefined || last === undefined || tokenMs.length < 2) return [];
  return [(last - first) / (tokenMs.length - 1)];
}
