import { cpus } from 'node:os';
import type { BurstOutcome } from './burst.ts';
import type { Finding, Takeovers } from './checker.ts';
import type { ClientRecord } from './clients/client.ts';

export interface FaultLine {
  readonly number: number;
  readonly kind: string;
  readonly atS: number;
  readonly what: string;
}

export interface Outcome {
  readonly command: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly records: readonly ClientRecord[];
  readonly statuses: Readonly<Record<string, number>>;
  readonly faults: readonly FaultLine[];
  readonly findings: readonly Finding[];
  readonly takeovers: Takeovers;
  /** Jobs that a fault took from Redis, with all or with their record. */
  readonly lostWithRedis: number;
  readonly leaks: readonly string[];
  /** Processes that ended by themselves. */
  readonly surprises: readonly string[];
  readonly encodes: ReadonlyMap<string, number>;
  readonly memoryMb: Readonly<Record<string, number>>;
  readonly deaths: Readonly<Record<string, number>>;
}

export const isClean = ({ findings, leaks, surprises }: Outcome): boolean =>
  findings.length === 0 && leaks.length === 0 && surprises.length === 0;

/** The whole outcome in Markdown: what a reader of the docs sees. */
export function markdown(outcome: Outcome): string {
  return [
    `# ${isClean(outcome) ? 'Nothing lost' : 'Something went wrong'}: \`${outcome.command}\``,
    '',
    `${outcome.startedAt}, ${Math.round(outcome.seconds)} s on ${cpus().length} shared cores, Node ${process.versions.node}.`,
    '',
    ...verdict(outcome),
    '',
    ...problems(outcome),
    ...table('Jobs by kind', ['kind', 'jobs'], count(outcome.records.map(({ job }) => job.kind))),
    ...table('Endings', ['status', 'jobs'], Object.entries(outcome.statuses)),
    ...table(
      'Processes',
      ['process', 'peak memory (MB)', 'deaths'],
      Object.entries(outcome.memoryMb).map(([name, mb]) => [name, mb, outcome.deaths[name] ?? 0]),
    ),
    ...encodeLines(outcome),
    ...table(
      'Faults, in order',
      ['at (s)', 'kind', 'what was done'],
      outcome.faults.map(({ atS, kind, what }) => [atS.toFixed(1), kind, what]),
    ),
  ].join('\n');
}

/** The same for a burst. */
export function burstReport(
  command: string,
  outcome: BurstOutcome,
): { clean: boolean; report: string } {
  const { submitted, accepted, refused, findings, leaks } = outcome;
  const clean = findings.length === 0 && leaks.length === 0 && accepted + refused === submitted;
  const report = [
    `# ${clean ? 'Nothing lost' : 'Something went wrong'}: \`${command}\``,
    '',
    `${stamp(new Date())}, ${cpus().length} shared cores, Node ${process.versions.node}.`,
    '',
    `- ${submitted} image jobs submitted at once, each with an image of its own; one API process, one encoder, one PD worker`,
    `- ${accepted} accepted and ${refused} refused with 429 and a time to come back, within ${outcome.acceptSeconds.toFixed(1)} s`,
    `- all that were accepted had ended after ${outcome.seconds.toFixed(1)} s`,
    `- ${findings.length} findings, ${leaks.length} things left behind`,
    '',
    ...problems({ findings, leaks, surprises: [] }),
    ...table('Memory', ['process', 'peak (MB)'], Object.entries(outcome.memoryMb)),
  ].join('\n');
  return { clean, report };
}

export const stamp = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function verdict({
  lostWithRedis,
  records,
  faults,
  findings,
  takeovers,
  leaks,
  surprises,
}: Outcome): string[] {
  const accepted = records.filter(({ id }) => id !== null).length;
  const streams = records.flatMap(({ stream }) => (stream === null ? [] : [stream.connections]));
  const retries = records.reduce((sum, record) => sum + record.retries, 0);
  return [
    `- ${accepted} of ${records.length} jobs accepted (after ${retries} repeated submissions), ${faults.length} faults`,
    `- ${findings.length} findings: jobs lost, wrong, ended otherwise, or with a broken stream`,
    `- ${leaks.length} things left behind at the end`,
    `- ${surprises.length} processes that ended by themselves`,
    `- ${lostWithRedis} jobs lost with the data that faults took from Redis, which may be`,
    `- ${takeovers.jobs} jobs were taken over by another worker, ${takeovers.midAnswer} of them in the middle of their answer`,
    `- ${streams.length} streams read over ${streams.reduce((sum, value) => sum + value, 0)} connections`,
  ];
}

function problems({
  findings,
  leaks,
  surprises,
}: Pick<Outcome, 'findings' | 'leaks' | 'surprises'>): string[] {
  const lines = [
    ...findings.map(({ kind, job, id, what }) => `- **${kind}** job ${job} (${id}): ${what}`),
    ...leaks.map((leak) => `- **left behind** ${leak}`),
    ...surprises.map((surprise) => `- **ended by itself** ${surprise}`),
  ];
  return lines.length === 0 ? [] : ['## What went wrong', '', ...lines, ''];
}

/** An image is encoded again when a fault took its embedding or its encoder: faults explain these. */
function encodeLines({ encodes }: Outcome): string[] {
  const counts = [...encodes.values()].filter((value) => value > 0);
  const again = counts.filter((value) => value > 1);
  const total = counts.reduce((sum, value) => sum + value, 0);
  return [
    '## Encodes',
    '',
    `${counts.length} distinct images, ${total} encodes; ${again.length} images were encoded more than once (at most ${Math.max(0, ...counts)} times).`,
    '',
  ];
}

function count(items: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => a.localeCompare(b));
}

function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  return [`## ${title}`, '', line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
