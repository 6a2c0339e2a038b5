import { writeFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { dashboards } from './dashboards.ts';

/** Grafana and the chart read files: `node ops/dashboards/write.ts` makes them of the code. */
for (const [name, content] of Object.entries(dashboards)) {
  const path = projectPath(`infra/grafana/dashboards/${name}`);
  await writeFile(path, `${JSON.stringify(content, null, 1)}\n`);
}
