import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PromptBuilder, readModelFolder, type ModelFolder } from '@epd/model';
import { itemMaker, type VisionItem } from '@epd/model/preprocess';
import { preprocess, type PreprocessOptions } from '../../src/preprocess/preprocess.ts';
import { resizers } from '../../src/preprocess/resize.ts';
import { TINY_VLM } from './folders.ts';

export const goldenImage = (name: string): Promise<Buffer> =>
  readFile(join(TINY_VLM, 'golden', name));

/** The reference's image features by picture, each `[16, 192]`. */
export async function goldenFeatures(): Promise<Map<string, Float32Array>> {
  const file = await readFile(join(TINY_VLM, 'golden/image_features.safetensors'));
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + headerBytes).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const body = file.subarray(8 + headerBytes);
  const named = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return new Map(
    named.map(
      ([
        name,
        {
          data_offsets: [from, to],
        },
      ]) => {
        return [name, new Float32Array(Uint8Array.from(body.subarray(from, to)).buffer)];
      },
    ),
  );
}

export async function tinyVlm(): Promise<{ folder: ModelFolder; options: PreprocessOptions }> {
  const folder = await readModelFolder(TINY_VLM);
  const { geometry } = new PromptBuilder(folder);
  const make = itemMaker(folder, geometry, resizers);
  return { folder, options: { make, maxPixels: 1_000_000 } };
}

export async function goldenPixels(name: string): Promise<VisionItem> {
  const { options } = await tinyVlm();
  return preprocess(await goldenImage(name), options);
}

/** The largest difference between an embedding's bytes and the reference's values. */
export function worstDifference(data: Uint8Array, expected: Float32Array): number {
  const values = new Float32Array(Uint8Array.from(data).buffer);
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  return values.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - expected[index]!)),
    0,
  );
}
