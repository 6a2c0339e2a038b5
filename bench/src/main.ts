import { KeptAwake } from './awake/keep-awake.ts';
import { Harness } from './harness.ts';
import { machine, print, report, type Findings } from './json.ts';
import { readOptions, USAGE, UsageError, type BenchOptions, type Command } from './options.ts';

interface Question {
  readonly model: 'tiny' | 'smolvlm';
  readonly measure: (harness: Harness) => Promise<Findings>;
}

/** Loaded on demand: a question's measurement should not pay for another's modules. */
const QUESTIONS: Readonly<Record<Command, () => Promise<Question>>> = {
  serve: async () => ({ model: 'tiny', measure: (await import('./serve.ts')).serve }),
  ttft: async () => ({ model: 'smolvlm', measure: (await import('./ttft.ts')).ttft }),
  isolation: async () => ({
    model: 'smolvlm',
    measure: (await import('./isolation.ts')).isolation,
  }),
  engine: async () => ({ model: 'tiny', measure: (await import('./engine.ts')).engine }),
  encoder: async () => ({ model: 'tiny', measure: (await import('./encoder.ts')).encoder }),
  memory: async () => ({ model: 'smolvlm', measure: (await import('./memory.ts')).memory }),
  connector: async () => ({ model: 'tiny', measure: (await import('./connector.ts')).connector }),
  api: async () => ({ model: 'tiny', measure: (await import('./api.ts')).api }),
};

try {
  await run(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}

async function run(options: BenchOptions): Promise<void> {
  using awake = options.letCoresSleep ? null : KeptAwake.start();
  const where = machine(awake !== null);
  const { model, measure } = await QUESTIONS[options.command]();
  print(`epd-fleet bench ${options.command}`);
  await using harness = await Harness.open(options, model);
  endOn(['SIGINT', 'SIGTERM'], harness);
  const findings = await measure(harness);
  await report(options.command, where(), findings, options.json);
}

/** Asked to stop in the middle: nothing is left running or lying about. */
function endOn(signals: readonly NodeJS.Signals[], harness: Harness): void {
  for (const signal of signals) {
    process.once(signal, () => void harness[Symbol.asyncDispose]().finally(() => process.exit(1)));
  }
}
