import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { parse } from 'yaml';
import { prometheusTools } from '../../tools/prometheus.ts';
import { run } from '../../tools/run.ts';

const RULES = projectPath('infra/prometheus');

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
