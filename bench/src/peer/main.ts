import { PEER_ENV, type FromPeer, type ToPeer } from './messages.ts';
import { PeerModel } from './model.ts';

/**
 * The process that the fleet is compared with: one model, one queue. The library answers one prompt
 * per call, and its calls share one thread that computes, so a second one at the same time would only
 * slow the first down.
 */
const { [PEER_ENV.modelDir]: folder = '', [PEER_ENV.threads]: threads = '1' } = process.env;
const model = await PeerModel.load(folder, Number(threads));
let last: Promise<void> = Promise.resolve();

process.on('message', (question: ToPeer) => {
  last = last.then(() => answer(question));
});
process.once('disconnect', () => process.exit());
say({ kind: 'ready' });

async function answer(question: ToPeer): Promise<void> {
  const { id } = question;
  try {
    await model.answer(question, (token) => say({ kind: 'token', id, token }));
    say({ kind: 'end', id });
  } catch (error) {
    say({ kind: 'end', id, error: String(error) });
  }
}

function say(message: FromPeer): void {
  process.send?.(message);
}
