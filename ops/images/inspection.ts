import { readFile, readdir } from 'node:fs/promises';
import { statusOf, type Container } from '../tools/runc.ts';

/** Something that must hold of a running container, and whether it does. */
export interface Inspected {
  readonly what: string;
  readonly holds: boolean;
}

/** What an image must not have in it, by its name: it belongs to another process. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  api: ['workers', 'bench', 'ops', 'node_modules/onnxruntime-node', 'node_modules/sharp'],
  encoder: ['api', 'bench', 'ops', 'workers/prefill-decode', 'node_modules/fastify'],
  'prefill-decode': ['api', 'bench', 'ops', 'workers/encoder', 'node_modules/sharp'],
};
const NO_RIGHTS = '0000000000000000';

/** A container from outside, as Linux sees it, and from inside, as somebody who broke in would. */
export async function inspect(name: string, container: Container): Promise<Inspected[]> {
  const pid = await childOf(container.process.pid!);
  const status = await statusOf(pid);
  const mounts = (await readFile(`/proc/${pid}/mountinfo`, 'utf8')).split('\n');
  const root = mounts.find((line) => line.split(' ')[4] === '/');
  return [
    { what: 'uid 10001', holds: status.get('Uid')?.split('\t')[0] === '10001' },
    { what: 'no capabilities', holds: status.get('CapEff') === NO_RIGHTS },
    { what: 'no new privileges', holds: status.get('NoNewPrivs') === '1' },
    { what: 'root is mounted read-only', holds: root?.split(' ')[5]?.split(',')[0] === 'ro' },
    { what: 'nothing in /app can be written', holds: !(await runs(container, touch('/app/x'))) },
    { what: '/models cannot be written', holds: !(await runs(container, touch('/models/x'))) },
    { what: '/data and /tmp can', holds: await runs(container, touch('/data/x', '/tmp/x')) },
    {
      what: "the image's health check passes",
      holds: await runs(container, container.healthCheck),
    },
    {
      what: 'no npm, no compiler',
      holds: !(await runs(container, ['sh', '-c', 'type npm || type cc'])),
    },
    ...(await Promise.all((FOREIGN[name] ?? []).map((path) => without(container, path)))),
  ];
}

const touch = (...paths: readonly string[]): string[] => ['touch', ...paths];

async function without(container: Container, path: string): Promise<Inspected> {
  return {
    what: `without ${path}`,
    holds: !(await runs(container, ['test', '-e', `/app/${path}`])),
  };
}

const runs = (container: Container, args: readonly string[]): Promise<boolean> =>
  container.exec(args).then(
    () => true,
    () => false,
  );

/** The process in the container: runc's own is its parent. */
export async function childOf(pid: number): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const children = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8')),
  );
  return Number(children.join(' ').trim().split(' ')[0]);
}
