import type { FixedFleet } from './plan.ts';
import type { Objective, Quantiles, Summary } from './statistics.ts';

const COLUMNS = [
  'strategy',
  'text TTFT p50/p95/p99 ms',
  'image TTFT p50/p95/p99 ms',
  'TPOT p95 ms',
  'missed text/image',
  'E min',
  'PD min',
  'cost',
];

/** A table of what each strategy did, one line each. */
export function table(summaries: readonly Summary[]): string {
  const rows = [COLUMNS, ...summaries.map(row)];
  const widths = COLUMNS.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ');
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(COLUMNS), rule, ...rows.slice(1).map(line)].join('\n');
}

export function answer(
  split: FixedFleet | null,
  whole: FixedFleet | null,
  objective: Objective,
  lostMax: number,
): string {
  const share = `${((1 - lostMax) * 100).toFixed(1)} %`;
  const bound = `the first token within ${objective.ttftMs} ms and ${objective.tpotMs} ms per token`;
  return [
    `So that ${share} of this load gets ${bound}, a fixed fleet needs`,
    split === null
      ? '  more encoders and prefill/decode workers than were tried (see --most)'
      : `  ${split.encoders} encoder(s) and ${split.decoders} prefill/decode worker(s), ` +
        `cost ${split.summary.cost.toFixed(1)}, or`,
    whole === null
      ? '  more monoliths than were tried'
      : `  ${whole.decoders} monolith(s), cost ${whole.summary.cost.toFixed(1)}.`,
  ].join('\n');
}

function row(summary: Summary): string[] {
  return [
    summary.strategy,
    quantiles(summary.textTtftMs),
    quantiles(summary.imageTtftMs),
    ms(summary.tpotMs.p95),
    `${summary.lostText}/${summary.lostImage} of ${summary.requests}`,
    summary.encoderMinutes.toFixed(1),
    summary.decoderMinutes.toFixed(1),
    summary.cost.toFixed(1),
  ];
}

function quantiles({ p50, p95, p99 }: Quantiles): string {
  return [p50, p95, p99].map(ms).join('/');
}

function ms(value: number): string {
  return value === Infinity ? 'never' : value.toFixed(value < 10 ? 1 : 0);
}
