import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { eventually, freePort, tempFolder } from '@epd/service/testing';
import type { FleetState } from '../../local/fleet-file.ts';

const LAUNCHER = join(import.meta.dirname, 'fixtures/launcher.ts');

export interface Launched {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly url: string;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  state(): Promise<FleetState>;
}

export interface Launch {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
}

/** A launcher in a process of its own, with its own folder and port; ended with the test. */
export async function launch(
  t: ExecutionContext,
  { args = [], env = {}, folder }: Launch = {},
): Promise<Launched> {
  const data = folder ?? (await tempFolder(t));
  const port = await freePort();
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env: { ...process.env, EPD_REDIS_URL: '', EPD_DATA_DIR: data, EPD_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const exited = once(child, 'exit').then(() => child.exitCode);
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const state = async (): Promise<FleetState> =>
    JSON.parse(await readFile(join(data, 'fleet.json'), 'utf8')) as FleetState;
  return {
    child,
    folder: data,
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    exited,
    state,
  };
}

/** The same, once its fleet is ready. */
export async function launched(t: ExecutionContext, options: Launch = {}): Promise<Launched> {
  const fleet = await launch(t, options);
  await eventually(() => fleet.output().includes('UP\n') || ended(fleet), { withinMs: 60_000 });
  return fleet;
}

function ended({ child, output }: Launched): false {
  if (child.exitCode !== null) throw new Error(`The launcher ended: ${output()}`);
  return false;
}

export function isRunning(pid: number | null): boolean {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
}
