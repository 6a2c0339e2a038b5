import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { eventually, freePort, tempFolder } from '@epd/service/testing';
import { stringify } from 'yaml';
import { prometheusTools } from '../../tools/prometheus.ts';
import type { Test } from './running-fleet.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

export interface PrometheusServer {
  /** What an expression gives now. Throws what Prometheus says of one that it cannot evaluate. */
  query(expr: string): Promise<Sample[]>;
}

/** Debian's Prometheus with the project's rules, looking at the targets every half second. */
export async function prometheusServer(
  t: Test,
  targets: Readonly<Record<string, string>>,
): Promise<PrometheusServer> {
  const folder = await tempFolder(t);
  const port = await freePort();
  const config = join(folder, 'prometheus.yaml');
  await writeFile(config, stringify(settings(targets)));
  const { prometheus } = await prometheusTools();
  const child = spawn(
    prometheus,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  t.teardown(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/-/ready`)).ok, { withinMs: 30_000 });
  return { query: (expr) => query(url, expr) };
}

function settings(targets: Readonly<Record<string, string>>): object {
  return {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '1s' },
    rule_files: ['recording.yaml', 'alerts.yaml'].map((name) =>
      projectPath(`infra/prometheus/${name}`),
    ),
    scrape_configs: Object.entries(targets).map(([job, target]) => ({
      job_name: job,
      static_configs: [{ targets: [target] }],
    })),
  };
}

async function query(url: string, expr: string): Promise<Sample[]> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
  const body = (await response.json()) as {
    readonly error?: string;
    readonly data?: { readonly result: Sample[] };
  };
  if (body.data === undefined) throw new Error(`${expr}: ${body.error}`);
  return body.data.result;
}
