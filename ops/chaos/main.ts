import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stopRequest } from '../local/stop-request.ts';
import { runBurst } from './burst.ts';
import { readOptions, USAGE, type ChaosOptions } from './options.ts';
import { makePlan } from './plans/plan.ts';
import { burstReport, isClean, markdown, type Outcome } from './report.ts';
import { runPlan } from './run.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** `npm run chaos`. */
export async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options.help) return say(USAGE);
  const steps = makePlan(options);
  if (options.planOnly) return say(JSON.stringify(steps, null, 2));
  const stop = stopRequest(() => process.exit(1));
  const folder = await emptyFolder(options.folder);
  say(`data and logs in ${folder}`);
  try {
    const command = `npm run chaos -- ${args.join(' ')}`.trim();
    const common = { folder, say, signal: stop.signal };
    const { clean, report } =
      options.command === 'burst'
        ? burstReport(command, await runBurst({ ...common, ...options, folder }))
        : faultReport(await runPlan({ ...common, command, steps }));
    await conclude(options, { clean, report, folder });
  } finally {
    stop.dispose();
  }
}

/** Remains of another run would be taken for this one's. */
async function emptyFolder(given: string | null): Promise<string> {
  if (given === null) return mkdtemp(join(tmpdir(), 'epd-chaos-'));
  await mkdir(given, { recursive: true });
  if ((await readdir(given)).length > 0) throw new Error(`${given} is not empty`, { cause: given });
  return resolve(given);
}

const faultReport = (outcome: Outcome) => ({ clean: isClean(outcome), report: markdown(outcome) });

async function conclude(
  options: ChaosOptions,
  { clean, report, folder }: { clean: boolean; report: string; folder: string },
): Promise<void> {
  say(`\n${report}`);
  if (options.report !== null) await writeFile(options.report, report);
  if (!clean) {
    process.exitCode = 1;
    say(`the processes' logs are in ${folder}/logs`);
  } else if (options.folder === null) {
    await rm(folder, { recursive: true, force: true });
  }
}
