import test from 'ava';
import * as fc from 'fast-check';
import { splitLines, type SplitLine } from '../../../src/core/batches/split-lines.ts';

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size)
    yield bytes.subarray(start, start + size);
}

const split = (text: string, size: number, maxBytes = 1_000): Promise<SplitLine[]> =>
  Array.fromAsync(splitLines(piecesOf(Buffer.from(text), size), maxBytes));

test('lines are what lies between line breaks, wherever the pieces end', async (t) => {
  const lines = fc.array(
    fc.string({ unit: 'grapheme', maxLength: 20 }).map((s) => s.replace(/\n/g, '')),
  );
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 40 }), async (texts, size) => {
      const text = texts.join('\n');
      const found = await split(text, size);
      const wanted = texts.filter((line) => line.trim() !== '');
      t.deepEqual(
        found.map(({ content }) => content?.toString()),
        wanted,
      );
      const bytes = Buffer.from(text);
      for (const { start, bytes: length, content } of found) {
        t.deepEqual(bytes.subarray(start, start + length), content);
      }
    }),
    { numRuns: 200 },
  );
});

test('of a line that is too long only where it lies is kept, and the next one is read', async (t) => {
  const long = 'x'.repeat(5_000);
  const found = await split(`a\n${long}\nb`, 64);
  t.deepEqual(
    found.map(({ start, bytes, content }) => [start, bytes, content?.toString() ?? null]),
    [
      [0, 1, 'a'],
      [2, 5_000, null],
      [5_003, 1, 'b'],
    ],
  );
});
