import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of the test's own, removed when the test ends. `t` is ava's. */
export async function tempFolder(t: {
  teardown(cleanUp: () => Promise<void>): void;
}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
