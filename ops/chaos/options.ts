import { parseArgs } from 'node:util';

export const USAGE = `npm run chaos -- [--seed N] [--faults N] [options]
npm run chaos -- burst [--jobs N]

Starts a fleet of real processes, sends a seeded mix of jobs whose answers are known, injects seeded
faults, and says what was lost, wrong, repeated or left behind. Ends with code 1 when anything was.

  --seed N             of the plan: same seed, same jobs and faults in the same order   (1)
  --faults N           faults to inject, one after the other                            (40)
  --jobs-per-fault N   jobs that are sent around each fault                             (10)
  --text               jobs without pictures only, the first that the fresh fleet is asked
  --jobs N             for burst: image jobs submitted at once                          (1000)
  --waiting-cost N     for burst: EPD_MAX_WAITING_COST; past it jobs are refused with 429
  --report FILE        writes the report, in Markdown, here as well
  --folder FOLDER      keeps data and logs here; else in a temporary folder, kept when something is wrong
  --plan               prints the plan and ends
`;

export interface ChaosOptions {
  readonly command: 'faults' | 'burst';
  readonly seed: number;
  readonly faults: number;
  readonly jobsPerFault: number;
  readonly textOnly: boolean;
  readonly jobs: number;
  readonly waitingCost: number | null;
  readonly report: string | null;
  readonly folder: string | null;
  readonly planOnly: boolean;
  readonly help: boolean;
}

/** The command line, typed. Throws a TypeError for what cannot be read. */
export function readOptions(args: readonly string[]): ChaosOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      faults: { type: 'string', default: '40' },
      'jobs-per-fault': { type: 'string', default: '10' },
      text: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '1000' },
      'waiting-cost': { type: 'string' },
      report: { type: 'string' },
      folder: { type: 'string' },
      plan: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    command: commandOf(positionals),
    seed: whole('--seed', values.seed),
    faults: whole('--faults', values.faults),
    jobsPerFault: whole('--jobs-per-fault', values['jobs-per-fault']),
    textOnly: values.text,
    jobs: whole('--jobs', values.jobs),
    waitingCost:
      values['waiting-cost'] === undefined ? null : whole('--waiting-cost', values['waiting-cost']),
    report: values.report ?? null,
    folder: values.folder ?? null,
    planOnly: values.plan,
    help: values.help,
  };
}

function commandOf([first, ...rest]: readonly string[]): ChaosOptions['command'] {
  if (rest.length === 0 && (first === undefined || first === 'burst')) return first ?? 'faults';
  throw new TypeError(`Expected nothing or "burst", got ${[first, ...rest].join(' ')}`);
}

function whole(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TypeError(`${flag} must be a whole number, not ${text}`);
}
