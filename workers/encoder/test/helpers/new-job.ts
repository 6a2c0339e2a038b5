import type { EncodeJob } from '@epd/connector';
import type { NewJob } from '@epd/jobs';

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
      sampling: {
        maxTokens: 1,
        temperature: 0,
        topP: 1,
        topK: 0,
        minP: 0,
        repetitionPenalty: 1,
        presencePenalty: 0,
        frequencyPenalty: 0,
        seed: 0,
        stop: [],
        ignoreEos: false,
        n: 1,
        topLogprobs: null,
        jsonSchema: null,
      },
      returnTokenIds: false,
      priority: 0,
      startByMs: null,
      endByMs: null,
    },
  };
}
