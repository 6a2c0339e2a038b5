import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { parse } from 'yaml';
import { dashboardQueries } from '../../dashboards/dashboards.ts';
import { someLoad } from '../helpers/load.ts';
import { prometheusServer, type Sample } from '../helpers/prometheus-server.ts';
import { runningFleet } from '../helpers/running-fleet.ts';

/** What one load can make in a short while has data; a failure that did not happen has none. */
const DATA_MS_MAX = 30_000;

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly record?: string }[] }[];
}

test('a running fleet gives data to every dashboard and every rule, and raises no alert', async (t) => {
  t.timeout(240_000);
  const fleet = await runningFleet(t);
  const prometheus = await prometheusServer(t, fleet.targets);
  const query = (expr: string): Promise<Sample[]> => prometheus.query(expr);
  // Counters are looked at before and after, for a rate needs two values.
  await eventually(async () => (await query('sum(up) == 3')).length > 0, { withinMs: 30_000 });
  await someLoad(fleet.url);
  const found = async (expr: string): Promise<boolean> => hasData(await query(expr));
  const missing = async (exprs: readonly string[]): Promise<string[]> => {
    const results = await Promise.all(
      exprs.map(async (expr) => ((await found(expr)) ? [] : [expr])),
    );
    return results.flat();
  };
  const wanted = [...dashboardQueries().map(({ expr }) => expr), ...(await recorded())];
  let left: readonly string[] = wanted;
  await eventually(
    async () => {
      left = await missing(left);
      return left.length === 0;
    },
    { withinMs: DATA_MS_MAX, everyMs: 1_000 },
  ).catch(() => undefined);
  t.deepEqual(left, []);
  t.deepEqual(await query('ALERTS{alertstate="firing"}'), []);
  t.is(Number((await query('sum(epd_jobs_lost_total)'))[0]?.value[1]), 0);
});

/** A quantile of nothing is NaN, which draws no line. */
function hasData(samples: readonly Sample[]): boolean {
  return samples.some(({ value: [, value] }) => value !== 'NaN');
}

async function recorded(): Promise<string[]> {
  const source = await readFile(projectPath('infra/prometheus/recording.yaml'), 'utf8');
  const { groups } = parse(source) as RuleFile;
  return groups.flatMap(({ rules }) => rules.map(({ record }) => record!));
}
