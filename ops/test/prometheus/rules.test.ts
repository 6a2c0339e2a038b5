import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { parse } from 'yaml';
import { prometheusTools } from '../../tools/prometheus.ts';
import { run } from '../../tools/run.ts';

const RULES = projectPath('infra/prometheus');

/** Where the values of labels are spelled that rules and fixtures ask for. */
const SPELLED: Readonly<Record<string, string>> = {
  outcome: 'workers/encoder/src/metrics.ts',
  after: 'workers/prefill-decode/src/metrics.ts',
  state: 'workers/prefill-decode/src/metrics.ts',
  stage: 'api/src/core/metrics/fleet-metrics.ts',
  status: 'libs/jobs/src/job.ts',
};

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly annotations?: object }[];
  }[];
}

test('promtool finds no fault in the rules', async (t) => {
  const { promtool } = await prometheusTools();
  const files = ['recording.yaml', 'alerts.yaml'];
  t.regex(await run(promtool, ['check', 'rules', ...files], { cwd: RULES }), /SUCCESS/);
});

test('the rules record and alert as their fixtures say', async (t) => {
  const { promtool } = await prometheusTools();
  t.regex(await run(promtool, ['test', 'rules', 'rules.test.yaml'], { cwd: RULES }), /SUCCESS/);
});

test('every alert is in the fixtures and names its own section of the handbook', async (t) => {
  const { groups } = parse(await readFile(`${RULES}/alerts.yaml`, 'utf8')) as RuleFile;
  const fixtures = await readFile(`${RULES}/rules.test.yaml`, 'utf8');
  const handbook = await readFile(projectPath('docs/operations.md'), 'utf8');
  for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
    t.truthy(alert);
    t.like(annotations, { runbook: `docs/operations.md#${alert?.toLowerCase()}` });
    t.true(fixtures.includes(alert!), `${alert} in rules.test.yaml`);
    t.true(handbook.includes(`### ${alert}\n`), `${alert} in docs/operations.md`);
  }
});

test('rules and fixtures ask for labels as the processes tell them', async (t) => {
  const files = ['recording.yaml', 'alerts.yaml', 'rules.test.yaml'];
  const rules = (
    await Promise.all(files.map((name) => readFile(`${RULES}/${name}`, 'utf8')))
  ).join();
  for (const [label, path] of Object.entries(SPELLED)) {
    const source = await readFile(projectPath(path), 'utf8');
    const asked = [...rules.matchAll(new RegExp(`\\b${label}(?:=|=~|!=)"([a-z_|]+)"`, 'g'))];
    t.true(asked.length > 0, label);
    for (const value of asked.flatMap(([, values = '']) => values.split('|'))) {
      t.true(source.includes(`'${value}'`), `${label}="${value}" in ${path}`);
    }
  }
  const errors = await readFile(projectPath('api/src/http/errors.ts'), 'utf8');
  for (const [, value] of rules.matchAll(/epd[_:]jobs_refused\S*\{reason="(\w+)"/g)) {
    t.true(errors.includes(`  ${value}: `), `${value} in api/src/http/errors.ts`);
  }
});
