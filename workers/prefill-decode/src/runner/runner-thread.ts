import { parentPort, workerData } from 'node:worker_threads';
import { loadModel } from './load-model.ts';
import type { FromRunner, RunnerOptions, ToRunner } from './messages.ts';

/** The thread that runs the model: the only place where onnxruntime is loaded. */
const port = parentPort;
if (!port) throw new Error('runner-thread.ts is started by Runner');

const post = (message: FromRunner): void => port.postMessage(message);
const options = workerData as RunnerOptions;
const { runner, facts, release } = await loadModel(options);
let steps = 0;

port.on('message', (message: ToRunner) => {
  switch (message.type) {
    case 'step':
      steps += 1;
      if (steps === options.hangAtStep) hang();
      void runner
        .step(message.step)
        .then((result) => post({ type: 'stepped', result }))
        .catch((error: unknown) => post({ type: 'failed', message: String(error) }));
      return;
    case 'embedding':
      runner.keep(message.embedding);
      return;
    case 'forget':
      runner.forget(message.mmHash);
      return;
    case 'close':
      void release().finally(() => {
        post({ type: 'closed' });
        port.close();
      });
  }
});
post({ type: 'ready', facts });

function hang(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
