import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RedisModelRegistry } from '@epd/fleet';
import { connectRedis } from '@epd/service';
import { eventually, tempFolder } from '@epd/service/testing';
import test from 'ava';
import { startFleet } from './helpers/fleet.ts';
import { ask } from './helpers/jobs.ts';

const ORIGINAL = 'models/tiny-vlm';

test.serial('of two models under one name one answers, until the name is moved', async (t) => {
  t.timeout(180_000);
  const other = join(await tempFolder(t), 'tiny-vlm');
  await cp(ORIGINAL, other, { recursive: true });
  const file = join(other, 'chat_template.json');
  const { chat_template: template } = JSON.parse(await readFile(file, 'utf8')) as {
    chat_template: string;
  };
  await writeFile(file, JSON.stringify({ chat_template: `Quite different: ${template}` }));
  const fleet = await startFleet(t, { encoders: 1, pds: 1 });
  const redis = connectRedis(fleet.env['EPD_REDIS_URL'] ?? '', { name: 'test' });
  t.teardown(() => redis.disconnect());
  const registry = new RedisModelRegistry(redis, fleet.env['EPD_PREFIX'] ?? '');
  fleet.start('prefill-decode', { EPD_MODEL: other, EPD_METRICS_PORT: '0' });
  const both = await eventually(
    async () => {
      const all = await registry.revisions('tiny-vlm');
      return all.length === 2 ? all : null;
    },
    { withinMs: 60_000 },
  );
  const answers = async (): Promise<Set<string>> => {
    const body = {
      model: 'tiny-vlm',
      messages: [{ role: 'user', content: 'count to 5' }],
      temperature: 0,
      max_tokens: 24,
    };
    const jobs = await Promise.all(Array.from({ length: 20 }, () => ask(fleet.url, body)));
    return new Set(jobs.map(({ output }) => output?.text ?? 'nothing'));
  };
  const before = await answers();
  t.is(before.size, 1);
  const next = both.find(({ serving }) => !serving);
  t.true(await registry.serve('tiny-vlm', next?.revision ?? ''));
  const after = await eventually(
    async () => {
      const seen = await answers();
      return seen.size === 1 && !before.isSupersetOf(seen) ? seen : null;
    },
    { withinMs: 60_000 },
  );
  t.true(after.isDisjointFrom(before));
});
