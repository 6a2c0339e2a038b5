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

function build({
  images,
  raw,
  withoutReasoning = false,
  ...conversation
}: PromptRequest): FromPromptThread {
  try {
    const made = raw
      ? prompts.raw(conversation.messages)
      : prompts.build(conversation, images, { withoutReasoning });
    return { type: 'built', ...made, tokens: Int32Array.from(made.tokens) };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { type: 'refused', code: error.code, message: error.message };
  }
}
