import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import type { Embedding, MultiModalFeature } from '@epd/connector';
import { PromptBuilder, readModelFolder, type ModelFolder, type PromptMessage } from '@epd/model';
import { projectPath } from '@epd/service';

export const MODEL_FOLDER = projectPath('models/tiny-vlm');
const GOLDEN = join(MODEL_FOLDER, 'golden');

interface GoldenFile {
  readonly images: string[];
  readonly question: string;
  readonly answer: string;
  readonly token_ids: number[];
}

/** A case of the reference: a prompt with its images, and the tokens that follow, without the last eos. */
export interface GoldenCase {
  readonly name: string;
  readonly tokens: readonly number[];
  readonly features: readonly MultiModalFeature[];
  readonly expected: readonly number[];
  readonly answer: string;
  readonly question: string;
  readonly images: readonly string[];
}

export interface Golden {
  readonly folder: ModelFolder;
  readonly prompts: PromptBuilder;
  readonly cases: readonly GoldenCase[];
  /** By mm_hash. */
  readonly embeddings: ReadonlyMap<string, Embedding>;
}

export async function readGolden(): Promise<Golden> {
  const folder = await readModelFolder(MODEL_FOLDER);
  const prompts = new PromptBuilder(folder);
  const files = JSON.parse(readFileSync(join(GOLDEN, 'cases.json'), 'utf8')) as GoldenFile[];
  const embeddings = new Map(
    Object.entries(readSafetensors(join(GOLDEN, 'image_features.safetensors'))).map(
      ([name, embedding]) => [hashOf(name), embedding] as const,
    ),
  );
  const cases = files.map((file, index) => goldenCase(prompts, file, index));
  return { folder, prompts, cases, embeddings };
}

/** Stands for an image's content digest. */
const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex');

interface Question {
  readonly question: string;
  readonly images: readonly string[];
}

interface Prompt {
  readonly tokens: readonly number[];
  readonly features: readonly MultiModalFeature[];
}

/** The prompt of a question about images (file names), behind earlier questions with their answers. */
export function ask(
  prompts: PromptBuilder,
  last: Question,
  earlier: readonly (Question & { readonly answer: string })[] = [],
): Prompt {
  const names: string[] = [];
  const user = ({ question, images }: Question): PromptMessage => {
    const parts = images.map((name) => ({ type: 'image' as const, image: names.push(name) - 1 }));
    const content =
      parts.length === 0 ? question : [...parts, { type: 'text' as const, text: question }];
    return { role: 'user', content };
  };
  const turns = earlier.flatMap((turn): PromptMessage[] => [
    user(turn),
    { role: 'assistant', content: turn.answer },
  ]);
  const messages = [...turns, user(last)];
  const { tokens, spans } = prompts.build(
    { messages },
    names.map((name) => pngSize(join(GOLDEN, name))),
  );
  const features = spans.map(({ image, offset, length, rows }) =>
    feature(hashOf(names[image] ?? ''), offset, length, rows),
  );
  return { tokens, features };
}

function goldenCase(prompts: PromptBuilder, file: GoldenFile, index: number): GoldenCase {
  const { question, images, answer, token_ids: expected } = file;
  return { name: `case ${index}`, ...ask(prompts, file), expected, answer, question, images };
}

/** One image of a prompt, with an encode job that nobody will take. */
export function feature(
  mmHash: string,
  offset: number,
  length: number,
  rows: number,
): MultiModalFeature {
  const input = { key: '', sha256: mmHash, mediaType: 'image/png', bytes: 1, width: 1, height: 1 };
  const encode = {
    v: 1 as const,
    mmHash,
    model: '',
    fingerprint: '',
    input,
    tokens: rows,
    requestedAtMs: 0,
  };
  return { mmHash, offset, length, rows, encode };
}

function pngSize(path: string): { width: number; height: number } {
  const bytes = readFileSync(path);
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function readSafetensors(path: string): Record<string, Embedding> {
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { dtype: 'F32'; shape: [number, number]; data_offsets: [number, number] }
  >;
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return Object.fromEntries(
    entries.map(([name, { dtype, shape, data_offsets }]) => {
      const [start, end] = data_offsets.map((offset) => offset + 8 + headerBytes);
      const data = Uint8Array.from(bytes.subarray(start, end));
      const [rows = 0, width = 0] = shape.slice(-2);
      return [name, { rows, width, dtype, data }];
    }),
  );
}
