import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import { World, type WorldOptions } from '../../ops/chaos/world/world.ts';

const READY_MS = 120_000;

/** A fleet that may be broken, with a Redis and an S3 of its own; ends with its test. */
export async function startWorld(
  t: ExecutionContext,
  options: Omit<WorldOptions, 'folder'> = {},
): Promise<World> {
  const world = await World.create({ folder: await tempFolder(t), ...options });
  t.teardown(async () => {
    if (!t.passed) t.log(await lastLines(join(world.folder, 'logs')));
    await world.stop('SIGKILL');
  });
  await world.start(READY_MS);
  return world;
}

/** What the processes said last: a failed test is read with it. */
async function lastLines(folder: string): Promise<string> {
  const texts = (await readdir(folder)).map(async (name) => {
    const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
    return `${name}:\n${lines.slice(-8).join('\n')}`;
  });
  return (await Promise.all(texts)).join('\n');
}
