import { createHash } from 'node:crypto';
import type { Files } from '../files/files.ts';
import type { Batch, LineResult } from './batch-record.ts';

/** Writes what became of a batch's lines, by line number; no file where there is nothing to write. */
export async function writeResultFiles(
  files: Files,
  batch: Batch,
  results: ReadonlyMap<number, LineResult>,
): Promise<Pick<Batch, 'outputFileId' | 'errorFileId'>> {
  const inOrder = [...results].toSorted(([a], [b]) => a - b).map(([, result]) => result);
  const [good, bad] = [inOrder.filter(({ ok }) => ok), inOrder.filter(({ ok }) => !ok)];
  return {
    outputFileId: await write(files, batch, 'output', good),
    errorFileId: await write(files, batch, 'errors', bad),
  };
}

async function write(
  files: Files,
  { id, tenant }: Batch,
  what: string,
  results: readonly LineResult[],
): Promise<string | null> {
  if (results.length === 0) return null;
  const file = await files.add({
    id: resultFileId(id, what),
    tenant,
    filename: `${id}_${what}.jsonl`,
    purpose: 'batch_output',
    bytes: Buffer.from(results.map(({ line }) => `${line}\n`).join('')),
    expiresAfterS: null,
  });
  return file.id;
}

/** Follows from the batch, so that a step which is repeated writes the same file. */
const resultFileId = (batchId: string, what: string): string =>
  `file-${createHash('sha256').update(`${batchId} ${what}`).digest('hex').slice(0, 32)}`;
