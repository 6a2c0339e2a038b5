import type { EncodeJob } from '@epd/connector';
import { GREEDY, type NewJob } from '@epd/jobs';

/** A generate job that shows one picture. */
export function newJob(
  id: string,
  { mmHash, input, tokens, model, fingerprint }: EncodeJob,
): NewJob {
  return {
    id,
    tenant: 'test',
    request: {
      v: 1,
      model,
      fingerprint,
      messages: [{ role: 'user', content: [{ type: 'image', image: 0 }] }],
      images: [{ mmHash, input, tokens, found: 'requested', generation: 1 }],
      sampling: GREEDY,
      returnTokenIds: false,
      priority: 0,
      startByMs: null,
      endByMs: null,
    },
  };
}
