import { RedisModelRegistry } from '@epd/fleet';
import { fingerprint, modelCard, readModelFolder } from '@epd/model';
import { connectRedis, projectPath } from '@epd/service';
import { testRedisUrl } from '@epd/service/testing';
import type { Test } from './running-fleet.ts';

/** A model that workers have served and that none serves now: a fleet that is scaled to zero. */
export async function registerModel(t: Test, prefix: string): Promise<void> {
  const redis = connectRedis(testRedisUrl(), { name: 'test' });
  t.teardown(async () => redis.disconnect());
  const folder = await readModelFolder(projectPath('models/tiny-vlm'));
  const card = modelCard(folder, (await fingerprint(folder))!);
  await (await new RedisModelRegistry(redis, prefix).announce('encoder', 'gone', card)).stop();
}
