import test from 'ava';
import { RedisModelRegistry, type ModelCard } from '../src/index.ts';
import { testStore } from './helpers/store.ts';

const CARD: ModelCard = {
  v: 1,
  id: 'tiny-vlm',
  fingerprint: 'f',
  processing: {},
  geometry: {},
  contextLength: 2048,
  hiddenSize: 192,
  createdAtMs: 0,
};

test('a model is known from its first worker on, its workers only while they renew', async (t) => {
  const { redis, prefix } = testStore(t);
  const registry = new RedisModelRegistry(redis, prefix);
  t.is(await registry.model('tiny-vlm'), null);
  const lease = await registry.announce('encoder', 'one', CARD);
  t.deepEqual(await registry.workers('tiny-vlm'), { encoder: 1, prefillDecode: 0 });
  await lease.stop();
  t.deepEqual(await registry.workers('tiny-vlm'), { encoder: 0, prefillDecode: 0 });
  t.deepEqual(await registry.models(), [CARD]);
});
