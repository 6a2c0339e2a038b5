import { parentPort } from 'node:worker_threads';

const STEP_MS = 5;

/** Stands in for a model's step: it holds its thread, and no other. */
parentPort?.on('message', () => {
  const endsMs = performance.now() + STEP_MS;
  while (performance.now() < endsMs);
  parentPort?.postMessage(null, []);
});
