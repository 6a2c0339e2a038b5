import { parentPort, workerData } from 'node:worker_threads';
import { MaskClient } from './mask-client.ts';
import { loadDecoder } from './load-decoder.ts';
import { CacheError } from './model-runner.ts';
import type { FromRunner, RunnerOptions, ToRunner } from './messages.ts';

/** The thread that runs the model: the only place where onnxruntime is loaded. */
const port = parentPort;
if (!port) throw new Error('runner-thread.ts is started by Runner');

const post = (message: FromRunner): void => port.postMessage(message);
const options = workerData as RunnerOptions;
const masks = new MaskClient();
const { runner, facts, release } = await loadDecoder(options, masks.constraintOf);
let steps = 0;
let last: Promise<void> = Promise.resolve();

// Processes messages in order, because a step that was sent may need what the next message drops.
port.on('message', (message: ToRunner) => {
  last = last.then(() => carryOut(message));
});
post({ type: 'ready', facts });

async function carryOut(message: ToRunner): Promise<void> {
  switch (message.type) {
    case 'step':
      steps += 1;
      if (steps === options.hangAtStep) hang();
      await runner
        .step(message.step)
        .then((result) => post({ type: 'stepped', result }))
        .catch(fail);
      return;
    case 'embedding':
      runner.keep(message.embedding);
      return;
    case 'forget':
      runner.forget(message.mmHash);
      return;
    case 'masks':
      masks.connect(message.connection);
      return;
    case 'close':
      masks.close();
      await release().finally(() => {
        post({ type: 'closed' });
        parentPort?.close();
      });
  }
}

/** Other sequences survive a failed run; nothing survives a failed change of the KV cache. */
function fail(error: unknown): void {
  if (error instanceof CacheError) throw error;
  post({ type: 'failed', message: String(error) });
}

function hang(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
