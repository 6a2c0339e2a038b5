import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { metricsReference } from '../../docs/metrics-reference.ts';
import { prometheusTools } from '../../tools/prometheus.ts';
import { runningFleet } from '../helpers/running-fleet.ts';

test("what a fleet tells is in the reference, and named by Prometheus' conventions", async (t) => {
  t.timeout(120_000);
  const { targets } = await runningFleet(t, [
    'epd-api',
    'epd-encoder',
    'epd-prefill-decode',
    'epd-index',
  ]);
  const { promtool } = await prometheusTools();
  const scraped: Record<string, string> = {};
  for (const [job, target] of Object.entries(targets)) {
    const text = await (await fetch(`http://${target}/metrics`)).text();
    scraped[job] = text;
    const own = text.split('\n').filter((line) => line.includes('epd_'));
    const input = `${own.join('\n')}\n`;
    t.notThrows(() => execFileSync(promtool, ['check', 'metrics'], { input }), job);
  }
  const written = await readFile(projectPath('docs/metrics.md'), 'utf8');
  t.is(written, metricsReference(scraped), 'see the head of docs/metrics.md');
});
