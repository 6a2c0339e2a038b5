import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { machine, machineLine, type Machine } from './machine.ts';

/** What a question's measurement gives back. */
export interface Findings {
  /** Ready to print. */
  readonly tables: readonly string[];
  /** By name; each names in docs/benchmarks.md what is divided by what. */
  readonly ratios: Readonly<Record<string, number | null>>;
  readonly samples: unknown;
  /** What else a reader must know: scaled shapes, parts left out. */
  readonly notes?: readonly string[];
}

interface Report extends Findings {
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
}

/** Prints what was found and, where a file is named, writes it. */
export async function report(
  command: string,
  where: Machine,
  findings: Findings,
  jsonFile: string | null,
): Promise<void> {
  for (const text of findings.tables) print(`\n${text}`);
  const ratios = Object.entries(findings.ratios);
  if (ratios.length > 0)
    print(`\nratios  ${ratios.map(([name, value]) => `${name} ${rounded(value)}`).join(', ')}`);
  for (const note of findings.notes ?? []) print(`note    ${note}`);
  print(`machine ${machineLine(where)}`);
  if (jsonFile === null) return;
  const { tables: _, ...rest } = findings;
  const content: Omit<Report, 'tables'> = {
    command,
    date: new Date().toISOString(),
    machine: where,
    ...rest,
  };
  await mkdir(dirname(jsonFile), { recursive: true });
  await writeFile(jsonFile, `${JSON.stringify(content, null, 2)}\n`);
  print(`written ${jsonFile}`);
}

export const print = (text: string): void => void process.stdout.write(`${text}\n`);

export { machine };

const rounded = (value: number | null): string => (value === null ? '–' : value.toFixed(2));
