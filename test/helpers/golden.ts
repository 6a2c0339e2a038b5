import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GoldenCase {
  readonly images: readonly string[];
  readonly question: string;
  readonly answer: string;
  readonly token_ids: readonly number[];
}

const FOLDER = join(import.meta.dirname, '../../models/tiny-vlm/golden');

/** Questions with the PyTorch reference's greedy answers. */
export const goldenCases = JSON.parse(
  readFileSync(join(FOLDER, 'cases.json'), 'utf8'),
) as readonly GoldenCase[];

/** The job that asks a golden question: the images first, then the text. */
export function goldenJob({ images, question }: GoldenCase): Record<string, unknown> {
  return {
    messages: [
      { role: 'user', content: [...images.map(imagePart), { type: 'text', text: question }] },
    ],
    max_tokens: 128,
    temperature: 0,
    return_token_ids: true,
  };
}

function imagePart(name: string): Record<string, unknown> {
  const base64 = readFileSync(join(FOLDER, name)).toString('base64');
  return { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } };
}
