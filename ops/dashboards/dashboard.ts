import type { Panel, Row } from './panel.ts';

/** Grafana's grid is 24 wide. */
const GRID = 24;
const PANEL_HEIGHT = 8;
const STAT_HEIGHT = 4;

/** A dashboard as Grafana stores it, laid out row by row. */
export function dashboard(uid: string, title: string, rows: readonly Row[]): object {
  return {
    uid,
    title,
    tags: ['epd-fleet'],
    schemaVersion: 39,
    editable: false,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [source(), modelVariable()] },
    panels: layOut(rows),
  };
}

function source(): object {
  return { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' };
}

function modelVariable(): object {
  return {
    name: 'model',
    label: 'Model',
    type: 'query',
    datasource: DATASOURCE,
    query: { query: 'label_values(epd_queue_jobs, model)', refId: 'model' },
    refresh: 2,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

const DATASOURCE = { type: 'prometheus', uid: '${source}' };

function layOut(rows: readonly Row[]): object[] {
  let y = 0;
  let id = 0;
  return rows.flatMap(({ title, panels }) => {
    const header = {
      id: (id += 1),
      type: 'row',
      title,
      gridPos: { x: 0, y, w: GRID, h: 1 },
      panels: [],
    };
    y += 1;
    const height = panels.every(({ kind }) => kind === 'stat') ? STAT_HEIGHT : PANEL_HEIGHT;
    const perLine = height === STAT_HEIGHT ? panels.length : 3;
    const placed = panels.map((panel, index) => ({
      id: (id += 1),
      gridPos: {
        x: (index % perLine) * Math.floor(GRID / perLine),
        y: y + Math.floor(index / perLine) * height,
        w: Math.floor(GRID / perLine),
        h: height,
      },
      ...body(panel),
    }));
    y += Math.ceil(panels.length / perLine) * height;
    return [header, ...placed];
  });
}

function body({ title, description, unit, kind, queries, stacked }: Panel): object {
  const custom = stacked ? { fillOpacity: 40, stacking: { mode: 'normal' } } : { fillOpacity: 8 };
  return {
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: { unit, min: 0, ...(kind === 'timeseries' ? { custom } : {}) },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value' }
        : { tooltip: { mode: 'multi', sort: 'desc' }, legend: { displayMode: 'list' } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend || '__auto',
    })),
  };
}
