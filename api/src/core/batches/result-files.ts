import { createHash } from 'node:crypto';
import type { Files } from '../files/files.ts';
import type { Batch, LineResult } from './batch-record.ts';

/**
 * Writes what became of a batch's lines, by line number; no file where there is nothing to write. `results`
 * comes in the order of lines.
 */
export async function writeResultFiles(
  files: Files,
  batch: Batch,
  results: AsyncIterable<LineResult>,
): Promise<Pick<Batch, 'outputFileId' | 'errorFileId'>> {
  const [good, bad]: [Buffer[], Buffer[]] = [[], []];
  for await (const { ok, line } of results) (ok ? good : bad).push(Buffer.from(`${line}\n`));
  return {
    outputFileId: await write(files, batch, 'output', good),
    errorFileId: await write(files, batch, 'errors', bad),
  };
}

async function write(
  files: Files,
  { id, tenant }: Batch,
  what: string,
  lines: readonly Buffer[],
): Promise<string | null> {
  if (lines.length === 0) return null;
  const file = await files.add({
    id: resultFileId(id, what),
    tenant,
    filename: `${id}_${what}.jsonl`,
    purpose: 'batch_output',
    bytes: Buffer.concat(lines),
    expiresAfterS: null,
  });
  return file.id;
}

/** Follows from the batch, so that a step which is repeated writes the same file. */
const resultFileId = (batchId: string, what: string): string =>
  `file-${createHash('sha256').update(`${batchId} ${what}`).digest('hex').slice(0, 32)}`;
