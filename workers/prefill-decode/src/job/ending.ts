import type { Claim, Ending, ImageTimings, Job, JobError, JobImage, JobUsage } from '@epd/jobs';
import type { EngineEvent } from '../engine/index.ts';
import { emittedLogprobs } from './resume.ts';

type Finished = Extract<EngineEvent, { type: 'finished' }>;

/** The record of a job that the engine has answered. `totalMs` since acceptance. */
export function completedEnding(
  { job, emitted }: Pick<Claim, 'job' | 'emitted'>,
  event: Finished,
  totalMs: number,
): Ending {
  const before = emittedLogprobs(emitted, event.choices.length);
  const images = job.request.images.map((image) => imageTimings(image, event));
  return {
    status: 'completed',
    choices: event.choices.map((choice, index) =>
      choice.logprobs
        ? { ...choice, logprobs: [...(before[index] ?? []), ...choice.logprobs] }
        : choice,
    ),
    usage: usage(job, event, images),
    timings: { ...event.timings, totalMs, images },
    error: null,
  };
}

export const failedEnding = (error: JobError, totalMs: number): Ending => ({
  status: 'failed',
  choices: [],
  usage: null,
  timings: { totalMs },
  error,
});

function usage(job: Job, event: Finished, images: readonly ImageTimings[]): JobUsage {
  const encoded = images.filter(({ source }) => source === 'encoded').length;
  return {
    promptTokens: event.usage.promptTokens,
    completionTokens: event.usage.completionTokens,
    cachedTokens: event.usage.cachedTokens,
    imageTokens: imageTokens(job.request),
    images: { encoded, reused: images.length - encoded },
  };
}

/** An image that occurs four times counts four times in the prompt. */
function imageTokens({ messages, images }: Job['request']): number {
  return messages
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .reduce(
      (sum, part) => sum + (part.type === 'image' ? (images[part.image]?.tokens ?? 0) : 0),
      0,
    );
}

const SOURCES = {
  requested: 'encoded',
  joined: 'joined',
  stored: 'stored',
  resident: 'stored',
} as const;

function imageTimings(image: JobImage, event: Finished): ImageTimings {
  const loaded = event.images.find(({ mmHash }) => mmHash === image.mmHash);
  const source =
    loaded?.source === 'kv_cache' && image.found !== 'requested'
      ? 'kv_cache'
      : SOURCES[image.found];
  return {
    mmHash: image.mmHash,
    source,
    ...(loaded?.loadMs === undefined ? {} : { loadMs: loaded.loadMs }),
    ...(loaded?.tier === undefined ? {} : { tier: loaded.tier }),
  };
}
