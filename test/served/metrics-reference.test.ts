import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { metricsReference } from '../../ops/docs/metrics-reference.ts';
import { prometheusTools } from '../../ops/tools/prometheus.ts';
import { sharedFleet } from '../helpers/shared-fleet.ts';

test("what a fleet reports is in the reference, and named by Prometheus' conventions", async (t) => {
  const { metrics } = await sharedFleet(t);
  const { promtool } = await prometheusTools();
  const scraped: Record<string, string> = {};
  for (const [role, url] of Object.entries(metrics)) {
    await eventually(async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 60_000 });
    const text = await (await fetch(`${url}/metrics`)).text();
    scraped[`epd-${role}`] = text;
    const own = text.split('\n').filter((line) => line.includes('epd_'));
    const input = `${own.join('\n')}\n`;
    t.notThrows(() => execFileSync(promtool, ['check', 'metrics'], { input }), role);
  }
  const written = await readFile(projectPath('docs/metrics.md'), 'utf8');
  t.is(written, metricsReference(scraped), 'see the head of docs/metrics.md');
});
