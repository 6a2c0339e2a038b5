import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { textOnly } from '../../src/load/workloads.ts';
import { fastestPeer } from '../../src/peer/fastest-peer.ts';

const modelDir = join(import.meta.dirname, '../../../models/tiny-vlm');

test('one of the peers that were tried stays, and answers', async (t) => {
  const { peer, threads } = await fastestPeer({ modelDir, cores: null }, [1, 2], textOnly(2, 0, 4));
  t.teardown(() => peer.stop());
  t.true(threads === 1 || threads === 2);
  t.is(
    (await peer.ask({ parts: [{ text: 'What?' }], maxTokens: 3, ignoreEos: true })).tokenIds.length,
    3,
  );
  const { pid } = peer;
  await peer.stop();
  t.false(existsSync(`/proc/${pid}`));
});

test('a probe that fails leaves no peer behind', async (t) => {
  const unreadable = {
    parts: [{ image: { path: '/none.png', dataUri: '' } }],
    maxTokens: 1,
    ignoreEos: true,
  };
  await t.throwsAsync(fastestPeer({ modelDir, cores: null }, [1], [unreadable]));
});
