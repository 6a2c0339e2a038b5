import { parseArgs } from 'node:util';
import { readSettings } from '../local/read-settings.ts';
import { doctorConfig, type DoctorConfig } from './config.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';

const USAGE = `npm run doctor -- [--env FILE] [--json] [--skip-model]

Checks an installation against its settings, and says what to fix. The settings come from FILE, from
the environment, or from the fleet that npm start has brought up here. Writes one object and one key
of its own, and removes both.

  --skip-model   for a host that runs the API alone and has no model folder

Ends with 0 when nothing fails, 1 when something does, 2 when the settings cannot be read.
`;

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' };

const { values } = parseArgs({
  options: {
    env: { type: 'string' },
    json: { type: 'boolean', default: false },
    'skip-model': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  const settings = settingsOrComplaint();
  if (settings === null) return;
  const findings = await examine(settings.config, { withModel: !values['skip-model'] });
  if (values.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else process.stdout.write(`Settings from ${settings.from}\n\n${report(findings)}\n`);
  process.exitCode = findings.some(({ level }) => level === 'fail') ? 1 : 0;
}

function settingsOrComplaint(): { config: DoctorConfig; from: string } | null {
  try {
    return readSettings(doctorConfig, process.env, values.env);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
    return null;
  }
}

function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, level, found, fix }) => [
    `${MARKS[level]}  ${check.padEnd(width)}  ${found}`,
    ...(fix === '' ? [] : [`      ${' '.repeat(width)}  → ${fix}`]),
  ]);
  const count = (level: Finding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  return [...lines, '', `${count('fail')} to fix, ${count('warn')} to look at`].join('\n');
}
