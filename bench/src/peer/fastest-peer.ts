import { runLoad } from '../load/run-load.ts';
import type { Question } from '../question.ts';
import { Peer, type PeerOptions } from './peer.ts';

/**
 * The peer at its best here: with each number of threads it answers the probes twice, and stays with
 * the one whose second time was the shortest. The first pays for compilation and allocation.
 */
export async function fastestPeer(
  options: Omit<PeerOptions, 'threads'>,
  threadCounts: readonly number[],
  probes: readonly Question[],
): Promise<{ readonly peer: Peer; readonly threads: number }> {
  let best: { peer: Peer; threads: number; wallMs: number } | null = null;
  for (const threads of threadCounts) {
    const peer = await Peer.start({ ...options, threads });
    try {
      const wallMs = await secondTime(peer, probes);
      if (best !== null && best.wallMs <= wallMs) {
        await peer.stop();
        continue;
      }
      await best?.peer.stop();
      best = { peer, threads, wallMs };
    } catch (error) {
      await peer.stop();
      await best?.peer.stop();
      throw error;
    }
  }
  if (best === null) throw new RangeError('Needs a number of threads to try');
  return best;
}

async function secondTime(peer: Peer, probes: readonly Question[]): Promise<number> {
  await runLoad(peer, probes, 1);
  return (await runLoad(peer, probes, 1)).stats.wallMs;
}
