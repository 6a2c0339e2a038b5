import { dashboard } from './dashboard.ts';
import { fleetRows } from './fleet-dashboard.ts';
import { workerRows } from './workers-dashboard.ts';

/** The dashboards by the names of their files. */
export const dashboards: Readonly<Record<string, object>> = {
  'epd-fleet.json': dashboard('epd-fleet', 'EPD fleet', fleetRows),
  'epd-workers.json': dashboard('epd-workers', 'EPD workers', workerRows),
};

/** Every query of every dashboard, with Grafana's own variables filled in. */
export function dashboardQueries(): { dashboard: string; panel: string; expr: string }[] {
  const rows = { 'epd-fleet.json': fleetRows, 'epd-workers.json': workerRows };
  return Object.entries(rows).flatMap(([name, all]) =>
    all.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ expr }) => ({
          dashboard: name,
          panel: title,
          expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$model', '.*'),
        })),
      ),
    ),
  );
}
