import { parentPort, workerData } from 'node:worker_threads';
import { prepareVision } from '../graph/prepare-vision.ts';
import type { FromThread, ToThread, VisionOptions } from '../session/vision-messages.ts';
import { VisionSession } from '../session/vision-session.ts';

/*
 * The thread that runs the vision encoder: a run blocks its thread, and the main one must stay free to
 * renew locks. It exits by itself when asked; it is never terminated, because that aborts the
 * process during a run.
 */

const port = parentPort;
if (port === null) throw new Error('This is a worker thread, not a program');

const send = (message: FromThread, transfer: ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);

const options = workerData as VisionOptions;
const { path, ...preparation } = await prepareVision(options);
const session = await VisionSession.open(path, options);

/** One message after the other: an answer cannot be sent once the port is closed. */
let last: Promise<void> = Promise.resolve();
port.on('message', (message: ToThread) => {
  last = last.then(() => (message.type === 'close' ? port.close() : encode(message)));
});
send({ type: 'ready', preparation });

async function encode({ id, items, partsPerRun }: ToThread & { type: 'encode' }): Promise<void> {
  try {
    const start = performance.now();
    const embeddings = await session.encode(items, partsPerRun);
    const buffers = embeddings.map(({ data }) => data.buffer as ArrayBuffer);
    send({ type: 'encoded', id, ms: performance.now() - start, embeddings }, buffers);
  } catch (error) {
    send({ type: 'failed', id, message: (error as Error).message });
  }
}
