import { RedisModelRegistry, type ModelCard } from '@epd/fleet';
import { readConfig } from '@epd/service';
import { testRedis, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { doctorConfig } from '../../doctor/config.ts';
import { checkWorkers } from '../../doctor/workers.ts';

const card = (revision: string): ModelCard => ({
  v: 1,
  id: 'tiny-vlm',
  fingerprint: 'f',
  revision,
  processing: {},
  geometry: {},
  contextLength: 2048,
  bytesPerTokenMax: 25,
  hiddenSize: 192,
  createdAtMs: 0,
});

test('the doctor fails where a name is pinned to a revision that no worker runs', async (t) => {
  const { redis, prefix } = testRedis(t);
  const registry = new RedisModelRegistry(redis, prefix);
  const config = readConfig(doctorConfig, {
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: prefix,
    EPD_STORE_DIR: '/nowhere',
  });
  const pinned = await registry.announce('prefill-decode', 'one', card('pinned'));
  const other = await registry.announce('prefill-decode', 'two', card('other'));
  t.teardown(() => other.stop());
  await registry.serve('tiny-vlm', 'pinned');
  const failures = async () =>
    (await checkWorkers(config, null)).filter(({ level }) => level === 'fail');
  t.deepEqual(await failures(), []);
  await pinned.stop();
  const [failure] = await failures();
  t.regex(failure?.found ?? '', /pinned to pinned/);
});
