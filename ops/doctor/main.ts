import { parseArgs } from 'node:util';
import { checkApi } from './api.ts';
import { readSettings } from '../local/read-settings.ts';
import { doctorConfig, type DoctorConfig } from './config.ts';
import type { Finding } from './finding.ts';
import { checkFleetStore } from './fleet-store.ts';
import { checkRedis } from './redis.ts';
import { checkStore } from './store.ts';
import { checkWorkers } from './workers.ts';

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
  const findings = await examine(settings.config);
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

async function examine(config: DoctorConfig): Promise<Finding[]> {
  const redis = await checkRedis(config.redisUrl, config.prefix);
  const reachable = redis.length > 1;
  const { findings: model, card } = values['skip-model']
    ? { findings: [], card: null }
    : await examineModel(config);
  return [
    ...redis,
    ...(await checkStore(config)),
    ...(reachable ? await checkFleetStore(config) : []),
    ...model,
    ...(reachable ? await checkWorkers(config, card) : []),
    ...(config.apiUrl === undefined ? [] : await checkApi(config.apiUrl, config.apiKeys[0])),
  ];
}

/** Loaded on demand: a host of the API alone has neither a model nor what reads one. */
async function examineModel(config: DoctorConfig) {
  const { checkModel } = await import('./model.ts');
  const { checkProviders } = await import('./providers.ts');
  const { findings, card } = await checkModel(config);
  return { findings: [...findings, ...(await checkProviders(config.executionProviders))], card };
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
