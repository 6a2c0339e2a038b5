import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { groupFiles, type SizedFile } from './group-files.ts';
import { laneOf, REAL_S3, type Lane } from './lanes.ts';

const TESTS = '{api,bench,libs,ops,test,workers}/**/*.test.ts';
/** Where ava looks for groups, too; see ava.config.js. */
const GROUPS = '.cache/test-groups';

/** Processes over which the files that run together are spread: they wait more than they compute. */
const TOGETHER_PROCESSES = 3;
/** Tests of such a process at a time. More would report late, fill the memory, and miss their own time limits. */
const TOGETHER_LIMIT = 4;
/** Tests of the shared fleet at a time: each waits for it most of its time. */
const SERVED_LIMIT = 4;
const MODEL_PROCESSES = 2;
/** Each keeps a core busy. */
const MODEL_LIMIT = 2;

/** What to give ava, and how to be rid of what was written for it. */
export interface PlannedRun {
  readonly files: readonly string[];
  clean(): Promise<void>;
}

/** Everything that is not destructive, in few processes. */
export async function planTests(): Promise<PlannedRun> {
  const lanes = await filesByLane();
  await rm(projectPath(GROUPS), { recursive: true, force: true });
  await mkdir(projectPath(GROUPS), { recursive: true });
  const together = groupFiles(lanes.together, TOGETHER_PROCESSES);
  const models = groupFiles(lanes.models, MODEL_PROCESSES);
  const served = lanes.served.map(({ path }) => path);
  const written = await Promise.all([
    writeGroup('served', served, SERVED_LIMIT),
    ...models.map((files, index) => writeGroup(`models-${index + 1}`, files, MODEL_LIMIT)),
    ...together.map((files, index) => writeGroup(`together-${index + 1}`, files, TOGETHER_LIMIT)),
  ]);
  return {
    files: [...written, ...lanes.alone.map(({ path }) => path)],
    clean: () => rm(projectPath(GROUPS), { recursive: true, force: true }),
  };
}

/** The rest, each file by itself. */
export async function planFleetTests(realS3: boolean): Promise<PlannedRun> {
  const { fleet } = await filesByLane();
  const files = fleet.map(({ path }) => path);
  return { files: realS3 ? [REAL_S3, ...files] : files, clean: () => Promise.resolve() };
}

async function filesByLane(): Promise<Record<Lane, SizedFile[]>> {
  const lanes: Record<Lane, SizedFile[]> = {
    together: [],
    served: [],
    models: [],
    alone: [],
    fleet: [],
  };
  const found = glob(TESTS, { cwd: projectPath('.'), exclude: ['**/node_modules/**'] });
  for (const path of (await Array.fromAsync(found)).toSorted()) {
    lanes[laneOf(path)].push({ path, bytes: (await stat(projectPath(path))).size });
  }
  return lanes;
}

async function writeGroup(name: string, files: readonly string[], limit: number): Promise<string> {
  const path = join(GROUPS, `${name}.test.ts`);
  const source = [
    `import { together } from '../../ops/lanes/together.ts';`,
    `await together(${JSON.stringify(files, null, 2)}, ${limit});`,
    '',
  ];
  await writeFile(projectPath(path), source.join('\n'));
  return path;
}
