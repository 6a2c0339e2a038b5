import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import { downloadFile } from '../src/download-file.ts';

/** proper-lockfile takes no less; a holder looks at its lock twice as often. */
const LOCK_STALE_MS = 2_000;

test('a download that loses its lock stops, takes it again and goes on', async (t) => {
  const target = join(await tempFolder(t), 'model.onnx');
  const content = Buffer.from('the whole of it');
  const digest = createHash('sha256').update(content).digest('hex');
  const offsets: number[] = [];
  const open = async (offset: number, signal?: AbortSignal): Promise<Response> => {
    offsets.push(offset);
    if (offsets.length > 1) return new Response(content.subarray(offset), { status: 206 });
    await rm(`${target}.lock`, { recursive: true });
    // As `fetch` has it: the line stays silent until it is aborted.
    const start = (line: ReadableStreamDefaultController<Uint8Array>): void => {
      line.enqueue(content.subarray(0, 4));
      signal?.addEventListener('abort', () => line.error(signal.reason));
    };
    return new Response(new ReadableStream({ start }));
  };
  const file = { path: 'model.onnx', size: content.length, digest, isLfs: true };
  await downloadFile({ file, target, open, lockStaleMs: LOCK_STALE_MS });
  t.deepEqual(await readFile(target), content);
  t.deepEqual(offsets, [0, 4]);
});
