import type { Choice, ImageTimings, Job, JobImage, JobTimings, JobUsage } from '@epd/jobs';
import { notesOf } from './api-notes.ts';
import type { JobView } from './job-view-schema.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';
import { snakeCase } from '../../http/snake-case.ts';

export interface JobViewExtras {
  readonly statusDetail: string | null;
  /** For a job that ended without an answer: the partial output from its stream. */
  readonly partial: readonly Choice[];
  readonly queue?: JobView['queue'];
}

/** The job as `/v1/jobs` shows it. Times in seconds where OpenAI's are, in milliseconds in `timings`. */
export function jobView(job: Job, { statusDetail, partial, queue }: JobViewExtras): JobView {
  const { request, ending } = job;
  const choices = ending === null || ending.choices.length === 0 ? partial : ending.choices;
  const outputs = choices.map((choice) => outputOf(choice, request.returnTokenIds));
  return {
    id: job.id,
    object: 'job',
    status: job.status,
    stage: ending === null ? job.stage : 'done',
    status_detail: statusDetail,
    model: request.model,
    created_at: unixSeconds(job.createdAtMs),
    started_at: secondsOrNull(job.startedAtMs),
    finished_at: secondsOrNull(job.finishedAtMs),
    priority: request.priority,
    ...(queue === undefined ? {} : { queue }),
    output: outputs[0] ?? null,
    ...(request.sampling.n > 1 ? { outputs } : {}),
    usage: usageOf(ending?.usage ?? null),
    timings: timingsOf(job),
    error: ending?.error ?? null,
    metadata: { ...job.metadata },
    links: {
      self: `/v1/jobs/${job.id}`,
      events: `/v1/jobs/${job.id}/events`,
      cancel: `/v1/jobs/${job.id}/cancel`,
    },
  };
}

const secondsOrNull = (ms: number | null): number | null => (ms === null ? null : unixSeconds(ms));

function outputOf(choice: Choice, withIds: boolean): NonNullable<JobView['output']> {
  return {
    text: choice.output?.content ?? choice.text,
    ...(choice.output?.reasoning ? { reasoning: choice.output.reasoning } : {}),
    ...(choice.output?.toolCalls.length ? { tool_calls: [...choice.output.toolCalls] } : {}),
    finish_reason: choice.finishReason,
    ...(withIds ? { token_ids: [...choice.tokenIds] } : {}),
    ...(choice.logprobs === undefined ? {} : { logprobs: choice.logprobs }),
  };
}

function usageOf(usage: JobUsage | null): JobView['usage'] {
  if (usage === null) return null;
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    image_tokens: usage.imageTokens,
    cached_tokens: usage.cachedTokens,
    images: { ...usage.images },
  };
}

function timingsOf(job: Job): JobView['timings'] {
  const timings: JobTimings = { ...job.ending?.timings, acceptMs: notesOf(job).acceptMs };
  const images = job.request.images.map((image, index) => imageTimings(job, image, index));
  return snakeCase({ ...timings, images }) as JobView['timings'];
}

/** What encoders have noted of an image, and what the decoder reported of it in the end. */
function imageTimings(job: Job, { mmHash, found }: JobImage, index: number): object {
  const noted = job.imageNotes.filter(({ item }) => item === index);
  const shown = noted
    .flatMap((note) => Object.entries(note))
    .filter(([name]) => IMAGE_TIMES.has(name));
  const reported = job.ending?.timings.images?.find((image) => image.mmHash === mmHash);
  const source = found === 'requested' ? {} : { source: SOURCES[found] };
  return { mmHash, ...source, ...Object.fromEntries(shown), ...reported };
}

/** What is known from the beginning of an image that this job need not have encoded. */
const SOURCES = { joined: 'joined', stored: 'stored', resident: 'kv_cache' } as const;

const IMAGE_TIMES: ReadonlySet<string> = new Set([
  'queueMs',
  'preprocessMs',
  'encodeMs',
  'saveMs',
  'batch',
  'loadMs',
  'readyMs',
  'tier',
] satisfies (keyof ImageTimings)[]);
