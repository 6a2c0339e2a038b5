import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What runs on a data folder. Never holds passwords. */
export interface FleetState {
  /** The launcher's. */
  readonly pid: number;
  readonly api: readonly string[];
  readonly redis: string;
  readonly prefix: string;
  readonly processes: readonly { readonly name: string; readonly pid: number | null }[];
}

/** Another fleet runs on the data folder: two would write to the same files. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
  readonly code = 'data_folder_in_use';

  constructor(folder: string, pid: number) {
    super(
      [
        `A fleet already runs on ${folder} (launcher ${pid}). Ways out:`,
        '  - stop that one (Ctrl-C where it runs)',
        '  - give this one a folder and a port of its own: EPD_DATA_DIR=.data2 EPD_PORT=8090 npm start',
        `  - if ${pid} is something else altogether, remove ${fileOf(folder)}`,
      ].join('\n'),
    );
  }
}

/** Takes the data folder for this process. Throws DataFolderInUseError. */
export async function claimDataFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const state: FleetState = { pid: process.pid, api: [], redis: '', prefix: '', processes: [] };
  try {
    await writeFile(fileOf(folder), JSON.stringify(state), { flag: 'wx' });
  } catch {
    const holder = await holderOf(folder);
    if (holder !== null) throw new DataFolderInUseError(folder, holder);
    await writeFleetState(folder, state);
  }
}

/** Lets tools, tests and people find the fleet. */
export async function writeFleetState(folder: string, state: FleetState): Promise<void> {
  const draft = `${fileOf(folder)}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`);
  await rename(draft, fileOf(folder));
}

export async function releaseDataFolder(folder: string): Promise<void> {
  await rm(fileOf(folder), { force: true });
}

async function holderOf(folder: string): Promise<number | null> {
  try {
    const { pid } = JSON.parse(await readFile(fileOf(folder), 'utf8')) as Partial<FleetState>;
    return pid !== undefined && pid !== process.pid && isAlive(pid) ? pid : null;
  } catch {
    return null; // cut short by a crash: nobody's
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function fileOf(folder: string): string {
  return join(folder, 'fleet.json');
}
