import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { dashboardQueries, dashboards } from '../../dashboards/dashboards.ts';

for (const [name, content] of Object.entries(dashboards)) {
  test(`${name} is what the code makes`, async (t) => {
    const path = projectPath(`infra/grafana/dashboards/${name}`);
    const written: unknown = JSON.parse(await readFile(path, 'utf8'));
    t.deepEqual(written, JSON.parse(JSON.stringify(content)), 'run node ops/dashboards/write.ts');
  });
}

test('no two panels of a dashboard lie on one another', (t) => {
  for (const content of Object.values(dashboards)) {
    const taken = new Set<string>();
    const { panels } = content as { panels: { gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[] };
    for (const { gridPos } of panels) {
      t.true(gridPos.x + gridPos.w <= 24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          t.false(taken.has(`${x},${y}`));
          taken.add(`${x},${y}`);
        }
      }
    }
  }
});

test('queries have no variable left when they are filled in', (t) => {
  for (const { expr, panel } of dashboardQueries()) t.false(expr.includes('$'), panel);
});

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

test('every panel has a description, a unit, queries and names for its lines', (t) => {
  for (const content of Object.values(dashboards)) {
    const { panels } = content as { panels: Panel[] };
    t.is(new Set(panels.map(({ title }) => title)).size, panels.length, 'titles are unique');
    for (const { type, title, description, fieldConfig, targets = [] } of panels) {
      t.truthy(title);
      if (type === 'row') continue;
      t.truthy(description, title);
      t.truthy(fieldConfig?.defaults.unit, title);
      t.true(targets.length > 0, title);
      for (const { expr, legendFormat } of targets) {
        t.truthy(expr, title);
        if (type === 'timeseries') t.not(legendFormat, '__auto', title);
      }
    }
  }
});
