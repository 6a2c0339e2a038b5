import type { Outcome, Sample } from './simulate.ts';
import type { TraceRequest } from './trace.ts';

const WIDTH = 960;
const LEFT = 60;
const RIGHT = 20;
const PANEL = 130;
const GAP = 46;
const TOP = 54;
/** Told apart by people who see few colours, and in print. */
const COLOURS = ['#d55e00', '#0072b2', '#009e73', '#cc79a7'];

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [atMs: number, value: number])[];
}

/** Arrivals, waiting and workers over time, one panel each, as an SVG document. */
export function plot(
  title: string,
  trace: readonly TraceRequest[],
  outcomes: readonly Outcome[],
): string {
  const endMs = Math.max(1, ...outcomes.flatMap(({ samples }) => samples.at(-1)?.atMs ?? 0));
  const panels = [
    { title: 'Requests a second', lines: arrivals(trace) },
    { title: 'Requests and images that wait', lines: series(outcomes, waiting) },
    {
      title: 'Workers (dashed: encoders)',
      lines: [...series(outcomes, decoders), ...encoders(outcomes)],
    },
  ];
  const height = TOP + panels.length * (PANEL + GAP) + 20;
  const body = panels.map(({ title: name, lines }, index) =>
    panel(name, lines, endMs, TOP + 18 + index * (PANEL + GAP)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="15" font-weight="bold">${escape(title)}</text>`,
    legend(outcomes.map(({ strategy }, index) => [strategy, colour(index)] as const)),
    ...body,
    '</svg>',
  ].join('\n');
}

function arrivals(trace: readonly TraceRequest[]): Line[] {
  const count = (wanted: (request: TraceRequest) => boolean): Line['points'] => {
    const perWindow = new Map<number, number>();
    for (const request of trace.filter(wanted)) {
      const window = Math.floor(request.atMs / 5_000);
      perWindow.set(window, (perWindow.get(window) ?? 0) + 1);
    }
    const last = Math.floor((trace.at(-1)?.atMs ?? 0) / 5_000);
    return Array.from({ length: last + 1 }, (_, window) => [
      window * 5_000,
      (perWindow.get(window) ?? 0) / 5,
    ]);
  };
  return [
    { name: 'text', colour: '#555555', points: count(({ images }) => images.length === 0) },
    { name: 'with images', colour: '#e69f00', points: count(({ images }) => images.length > 0) },
  ];
}

const waiting = ({ waitingImages, waitingRequests }: Sample): number =>
  waitingImages + waitingRequests;
const decoders = (sample: Sample): number => sample.decoders;

function series(outcomes: readonly Outcome[], value: (sample: Sample) => number): Line[] {
  return outcomes.map(({ strategy, samples }, index) => ({
    name: strategy,
    colour: colour(index),
    points: samples.map((sample) => [sample.atMs, value(sample)]),
  }));
}

function encoders(outcomes: readonly Outcome[]): Line[] {
  return series(outcomes, ({ encoders: count }) => count)
    .map((line) => Object.assign(line, { dashed: true }))
    .filter(({ points }) => points.some(([, value]) => value > 0));
}

function panel(title: string, lines: readonly Line[], endMs: number, top: number): string {
  const most = niceCeiling(Math.max(1, ...lines.flatMap(({ points }) => points.map(([, y]) => y))));
  const x = (atMs: number): number => LEFT + (atMs / endMs) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => top + PANEL - (value / most) * PANEL;
  const path = ({ points }: Line): string =>
    points
      .map(
        ([atMs, value], index) =>
          `${index ? 'L' : 'M'}${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`,
      )
      .join('');
  const note = title.startsWith('Requests a second') ? ' (grey: text, orange: with images)' : '';
  return [
    `<text x="${LEFT}" y="${top - 8}">${escape(title + note)}</text>`,
    ...[0, most / 2, most].map((value) => grid(value, y(value))),
    ...minutes(endMs).map((minute) => tick(minute, x(minute * 60_000), top)),
    ...lines.map(
      (line) =>
        `<path d="${path(line)}" fill="none" stroke="${line.colour}" stroke-width="1.6"${line.dashed ? ' stroke-dasharray="5 3"' : ''}/>`,
    ),
  ].join('\n');
}

function grid(value: number, y: number): string {
  return (
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#dddddd"/>` +
    `<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end" fill="#555555">${Number(value.toFixed(1))}</text>`
  );
}

function tick(minute: number, x: number, top: number): string {
  return `<text x="${x.toFixed(1)}" y="${top + PANEL + 15}" text-anchor="middle" fill="#555555">${minute} min</text>`;
}

function legend(entries: readonly (readonly [string, string])[]): string {
  let x = LEFT;
  return entries
    .map(([name, stroke]) => {
      const entry =
        `<line x1="${x}" x2="${x + 22}" y1="40" y2="40" stroke="${stroke}" stroke-width="3"/>` +
        `<text x="${x + 28}" y="44">${escape(name)}</text>`;
      x += 48 + name.length * 7;
      return entry;
    })
    .join('\n');
}

function minutes(endMs: number): number[] {
  const last = Math.floor(endMs / 60_000);
  const step = Math.max(1, Math.ceil(last / 12));
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
}

function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * unit).find((limit) => limit >= value)!;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
