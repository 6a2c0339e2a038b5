/** A panel: its title, its description and its queries. */
export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly unit: 's' | 'short' | 'reqps' | 'percentunit' | 'bytes' | 'Bps' | 'ops';
  readonly kind: 'timeseries' | 'stat';
  readonly queries: readonly Query[];
  readonly stacked?: boolean;
}

export interface Query {
  readonly expr: string;
  /** Name of its lines, with labels in braces. */
  readonly legend: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const query = (expr: string, legend = ''): Query => ({ expr, legend });

/** Lines over time, the usual panel. */
export function lines(
  title: string,
  unit: Panel['unit'],
  description: string,
  queries: readonly Query[],
): Panel {
  return { title, description, unit, kind: 'timeseries', queries };
}

/** One number, as of now. */
export function stat(title: string, unit: Panel['unit'], description: string, expr: string): Panel {
  return { title, description, unit, kind: 'stat', queries: [query(expr)] };
}

/** Areas that add up to the whole. */
export function stacked(...parameters: Parameters<typeof lines>): Panel {
  return { ...lines(...parameters), stacked: true };
}
