import { readFile } from 'node:fs/promises';
import { connectRedis, projectPath } from '@epd/service';
import { testRedisUrl } from '@epd/service/testing';
import type { Owner } from './fleet.ts';

/** A user in the tests' Redis with the rights that the handbook asks for the fleet's, for keys of `prefix`. */
export async function userOfTheHandbook(
  owner: Owner,
  prefix: string,
): Promise<{ name: string; url: string }> {
  const name = `user-${prefix}`;
  const redis = connectRedis(testRedisUrl(), { name: 'test' });
  owner.teardown(async () => {
    await redis.acl('DELUSER', name);
    redis.disconnect();
  });
  await redis.acl('SETUSER', name, 'on', '>secret', ...(await rights(prefix)));
  const url = new URL(testRedisUrl());
  Object.assign(url, { username: name, password: 'secret' });
  return { name, url: url.href };
}

async function rights(prefix: string): Promise<string[]> {
  const handbook = await readFile(projectPath('docs/operations.md'), 'utf8');
  const [, line] = handbook.match(/^- \*\*Rights\*\*[^`]*`([^`]+)`/m) ?? [];
  if (line === undefined) throw new Error('docs/operations.md does not say which rights it needs');
  return line.replaceAll('epd', prefix).split(' ');
}
