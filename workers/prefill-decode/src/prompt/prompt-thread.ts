import { parentPort, workerData } from 'node:worker_threads';
import { ModelError, PromptBuilder, readModelFolder } from '@epd/model';
import type { FromPromptThread, PromptRequest, PromptThreadOptions } from './messages.ts';

/**
 * Template and tokenizer in a thread that may be terminated at any time: nothing else depends on
 * it.
 */
const port = parentPort;
if (!port) throw new Error('prompt-thread.ts is started by PromptLane');

const { modelFolder, ...options } = workerData as PromptThreadOptions;
const prompts = new PromptBuilder(await readModelFolder(modelFolder, options));

port.on('message', (request: PromptRequest) => {
  const answer = build(request);
  port.postMessage(answer, answer.type === 'built' ? [answer.tokens.buffer] : []);
});
port.postMessage({ type: 'ready' } satisfies FromPromptThread, []);

function build({ messages, images, raw }: PromptRequest): FromPromptThread {
  try {
    const made = raw ? prompts.raw(messages) : prompts.build(messages, images);
    const { tokens, spans, positions } = made;
    return { type: 'built', tokens: Int32Array.from(tokens), spans, positions };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { type: 'refused', code: error.code, message: error.message };
  }
}
