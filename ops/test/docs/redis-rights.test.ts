import { readFile } from 'node:fs/promises';
import { connectRedis, projectPath } from '@epd/service';
import { eventually, testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { someLoad } from '../helpers/load.ts';
import { runningFleet } from '../helpers/running-fleet.ts';

/** Of the jobs of `someLoad`, those that nobody refuses or cancels. */
const ANSWERED = 11;

/** What the handbook asks for the fleet's user, with a prefix in place of the handbook's. */
async function rights(prefix: string): Promise<string[]> {
  const handbook = await readFile(projectPath('docs/operations.md'), 'utf8');
  const [, line] = handbook.match(/^- \*\*Rights\*\*[^`]*`([^`]+)`/m) ?? [];
  if (line === undefined) throw new Error('docs/operations.md does not say which rights it needs');
  return line.replaceAll('epd', prefix).split(' ');
}

test('a fleet needs no more rights in Redis than the handbook says', async (t) => {
  t.timeout(120_000);
  const [prefix, user] = [testPrefix(), `user-${process.pid}`];
  const redis = connectRedis(testRedisUrl(), { name: 'test' });
  t.teardown(async () => {
    await redis.acl('DELUSER', user);
    redis.disconnect();
  });
  await redis.acl('SETUSER', user, 'on', '>secret', ...(await rights(prefix)));
  const url = new URL(testRedisUrl());
  Object.assign(url, { username: user, password: 'secret' });
  const fleet = await runningFleet(t, undefined, { redisUrl: url.href, prefix });
  await someLoad(fleet.url);
  await eventually(
    async () => Number(await redis.hget(`${prefix}:jobs:totals`, 'completed')) >= ANSWERED,
  );
  const denied = JSON.stringify(await redis.acl('LOG'));
  t.false(denied.includes(user), denied);
});
