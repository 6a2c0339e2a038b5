import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dashboards } from './dashboards.ts';

/** Grafana and the chart read files: `node infra/grafana/write.ts` makes them of the code. */
for (const [name, content] of Object.entries(dashboards)) {
  const path = join(import.meta.dirname, 'dashboards', name);
  await writeFile(path, `${JSON.stringify(content, null, 1)}\n`);
}
