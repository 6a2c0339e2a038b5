import type { Job } from '@epd/jobs';
import type { LiveWorkers } from '../models/model-directory.ts';

/** What a job waits for, as text; null when it waits for nothing. */
export function statusDetail(job: Job, workers: LiveWorkers): string | null {
  if (job.ending !== null) return null;
  const { model } = job.request;
  const missing = imagesToCome(job);
  if (missing.length > 0 && workers.encoder === 0) {
    return `waiting for an encoder: none is running for model ${model}`;
  }
  if (workers.prefillDecode === 0) {
    return `waiting for a prefill/decode worker: none is running for model ${model}`;
  }
  if (job.status === 'queued') return 'queued';
  if (missing.length > 0 && job.stage !== 'first_token') {
    return `waiting for the embeddings of image ${missing.join(', ')}`;
  }
  return null;
}

/** Indices of images whose embedding is neither stored nor loaded. */
function imagesToCome(job: Job): number[] {
  const there = new Set(
    job.imageNotes
      .filter(({ stage }) => stage === 'stored' || stage === 'loaded')
      .map(({ item }) => item),
  );
  return job.request.images.flatMap(({ found }, index) =>
    found === 'requested' || found === 'joined' ? (there.has(index) ? [] : [index]) : [],
  );
}
