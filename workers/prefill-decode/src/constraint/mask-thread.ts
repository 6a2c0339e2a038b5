import { parentPort, workerData } from 'node:worker_threads';
import { buildVocabulary, ConstraintCompiler, ConstraintError } from '@epd/constraint';
import { eosTokenIds, readModelFolder, tokenBytes } from '@epd/model';
import type {
  FromMaskThread,
  MaskThreadOptions,
  Refused,
  ToMasks,
  ToMaskThread,
} from './mask-messages.ts';
import { MaskServer } from './mask-server.ts';

/**
 * The thread that compiles constraints and computes token masks in parallel with the runner's
 * forward passes.
 */
const port = parentPort;
if (!port) throw new Error('mask-thread.ts is started by MaskService');

const { modelFolder, limits } = workerData as MaskThreadOptions;
const folder = await readModelFolder(modelFolder);
const tokens = tokenBytes(folder);
const compiler = new ConstraintCompiler(buildVocabulary(tokens), limits);
const server = new MaskServer(compiler, tokens, eosTokenIds(folder));

const post = (message: FromMaskThread): void => port.postMessage(message);

port.on('message', (message: ToMaskThread) => {
  if (message.type === 'runner') message.port.on('message', (sent: ToMasks) => server.take(sent));
  else post({ type: 'compiled', ticket: message.ticket, refused: refusalOf(message.constraint) });
});
post({ type: 'ready', tokens: tokens.length });

function refusalOf(constraint: Parameters<ConstraintCompiler['compile']>[0]): Refused | null {
  try {
    compiler.compile(constraint);
    return null;
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    return { code: error.code, message: error.message };
  }
}
