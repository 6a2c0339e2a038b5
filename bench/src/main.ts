import { KeptAwake } from './awake/keep-awake.ts';
import { wakeDelayMs } from './awake/wake-delay.ts';
import { Harness } from './harness.ts';
import { machine, print, report, type Findings } from './report/json.ts';
import {
  readOptions,
  USAGE,
  UsageError,
  type BenchOptions,
  type Command,
  type CoresMode,
} from './options.ts';

interface Question {
  readonly model: 'tiny' | 'smolvlm';
  readonly measure: (harness: Harness) => Promise<Findings>;
}

/** Loaded on demand: a question's measurement should not pay for another's modules. */
const QUESTIONS: Readonly<Record<Command, (options: BenchOptions) => Promise<Question>>> = {
  serve: async () => ({ model: 'tiny', measure: (await import('./serve.ts')).serve }),
  ttft: async () => ({ model: 'smolvlm', measure: (await import('./ttft.ts')).ttft }),
  isolation: async () => ({
    model: 'smolvlm',
    measure: (await import('./isolation.ts')).isolation,
  }),
  engine: async ({ peer }) =>
    peer === 'llama'
      ? { model: 'smolvlm', measure: (await import('./engine-over-llama.ts')).engineOverLlama }
      : { model: 'tiny', measure: (await import('./engine.ts')).engine },
  drafts: async () => ({ model: 'tiny', measure: (await import('./drafts.ts')).drafts }),
  encoder: async () => ({ model: 'tiny', measure: (await import('./encoder.ts')).encoder }),
  memory: async () => ({ model: 'smolvlm', measure: (await import('./memory.ts')).memory }),
  connector: async () => ({ model: 'tiny', measure: (await import('./connector.ts')).connector }),
  constraint: async () => ({
    model: 'tiny',
    measure: (await import('./constraint.ts')).constraint,
  }),
  api: async () => ({ model: 'tiny', measure: (await import('./api.ts')).api }),
  takeover: async () => ({ model: 'tiny', measure: (await import('./takeover.ts')).takeover }),
  images: async () => ({ model: 'tiny', measure: (await import('./images.ts')).images }),
  alone: async () => ({ model: 'tiny', measure: (await import('./alone.ts')).alone }),
  overhead: async () => ({ model: 'tiny', measure: (await import('./overhead.ts')).overhead }),
};

/** A request passes a dozen wake-ups: above, a good part of what is measured would be the host's queue. */
const LATE_WAKE_MS = 0.5;

try {
  await run(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}

async function run(options: BenchOptions): Promise<void> {
  using awake = mustStayAwake(options.cores) ? KeptAwake.start() : null;
  const where = machine(awake !== null);
  const { model, measure } = await QUESTIONS[options.command](options);
  print(`epd-fleet bench ${options.command}`);
  await using harness = await Harness.open(options, model);
  endOn(['SIGINT', 'SIGTERM'], harness);
  const findings = await measure(harness);
  await report(options.command, where(), findings, options.json);
}

/** What keeps cores awake has a price of its own: the system finds no idle core for whom it wakes. */
function mustStayAwake(mode: CoresMode): boolean {
  return mode === 'awake' || (mode === 'auto' && wakeDelayMs() > LATE_WAKE_MS);
}

/** Asked to stop in the middle: nothing is left running or lying about. */
function endOn(signals: readonly NodeJS.Signals[], harness: Harness): void {
  for (const signal of signals) {
    process.once(signal, () => void harness[Symbol.asyncDispose]().finally(() => process.exit(1)));
  }
}
