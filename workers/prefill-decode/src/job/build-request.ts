import {
  MESSAGE_VERSION,
  queuePriority,
  type EncodeJob,
  type MultiModalFeature,
} from '@epd/connector';
import type { Claim, Job, JobImage, Sampling } from '@epd/jobs';
import type { OutputFormat, Prompt } from '@epd/model';
import type { EngineRequest } from '../engine/index.ts';
import { parserFor } from './parser-for.ts';

export interface BuiltRequest {
  readonly request: EngineRequest;
  /** The image, by its index in the job, of each of the request's features. */
  readonly images: readonly number[];
}

/** What is not of the job itself. */
interface Context {
  readonly resume: readonly number[][];
  readonly scope: string;
  readonly format: OutputFormat;
  /** The request's, with the form of the model's calls. */
  readonly sampling: Sampling;
}

/** The engine's request for a job whose prompt is built. */
export function buildEngineRequest(
  claim: Claim,
  { tokens, spans, positions, opensReasoning }: Prompt,
  { resume, scope, format, sampling }: Context,
): BuiltRequest {
  const { job } = claim;
  const { request } = job;
  const features = spans.map(({ image, offset, length, rows }): MultiModalFeature => ({
    mmHash: imageAt(job, image).mmHash,
    offset,
    length,
    rows,
    encode: encodeJob(job, imageAt(job, image)),
    ...askedBefore(imageAt(job, image)),
  }));
  const parser = parserFor(job, sampling, format, opensReasoning);
  const priority = queuePriority(request.priority, job.createdAtMs);
  const waitedMs = waitedBefore(claim, resume);
  return {
    request: {
      id: job.id,
      tokens,
      positions,
      features,
      sampling,
      ...(parser === null ? {} : { parser }),
      resume,
      priority,
      scope,
      waitedMs,
    },
    images: spans.map(({ image }) => image),
  };
}

/**
 * All the time since acceptance, if no token was emitted: earlier work for it was lost. For a
 * partly answered job: the time without a worker.
 */
const waitedBefore = (claim: Claim, resume: readonly number[][]): number =>
  resume.some((tokens) => tokens.length > 0)
    ? claim.waitedMs
    : performance.now() - claim.acceptedAt;

function imageAt(job: Job, index: number): JobImage {
  const image = job.request.images[index];
  if (image === undefined) throw new Error(`Job ${job.id} has no image ${index}`);
  return image;
}

/**
 * A generation that the API joined for this job is not joined again: a failure since then is this
 * job's failure, too.
 */
function askedBefore({
  found,
  generation,
}: JobImage): Pick<MultiModalFeature, 'generation' | 'stored'> {
  if (found === 'stored') return { stored: true };
  return found === 'requested' || found === 'joined' ? { generation } : {};
}

function encodeJob(job: Job, image: JobImage): EncodeJob {
  const { model, fingerprint, priority, traceparent } = job.request;
  return {
    v: MESSAGE_VERSION,
    mmHash: image.mmHash,
    model,
    fingerprint,
    input: image.input,
    tokens: image.tokens,
    tenant: job.tenant,
    priority,
    requestedAtMs: job.createdAtMs,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
