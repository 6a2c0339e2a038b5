import { uniform } from '../random.ts';
import type { Picture, Question } from '../question.ts';
import type { Workload } from './served.ts';

/** Of each answer to a text. */
export const TEXT_TOKENS = 100;

const ASKED = [
  'What is in the image?',
  'What color is it?',
  'What is on the left?',
  'Is it large or small?',
  'How many shapes are there?',
  'What is at the top?',
  'Read the text.',
  'What is on the right?',
];

export interface AnswerLength {
  readonly maxTokens: number;
  readonly ignoreEos: boolean;
}

const asked = (i: number): string => ASKED[i % ASKED.length] ?? '';

/** One picture each, none shown twice. */
export const uniqueImages = (pictures: readonly Picture[], length: AnswerLength): Question[] =>
  pictures.map((image, i) => ({ parts: [{ image }, { text: asked(i) }], ...length }));

/** How many pictures `repeatedImages` shows for the first time. */
export const firstShown = (count: number): number => Math.ceil(count / 5);

/**
 * Of every five questions one shows a new picture and four show one that was shown before, chosen by
 * a seed: 80 % repeated, save for the first question.
 */
export function repeatedImages(
  pictures: readonly Picture[],
  count: number,
  seed: number,
  length: AnswerLength,
): Question[] {
  const next = uniform(seed + 1);
  return Array.from({ length: count }, (_, i) => {
    const shown = Math.floor(i / 5);
    const image = pictures[i % 5 === 0 ? shown : Math.floor(next() * (shown + 1))];
    if (image === undefined) throw new RangeError(`Needs ${firstShown(count)} pictures`);
    return { parts: [{ image }, { text: asked(Math.floor(next() * ASKED.length)) }], ...length };
  });
}

/** Short prompts that all differ, and answers of exactly `tokens` tokens. */
export const textOnly = (count: number, seed: number, tokens: number): Question[] =>
  Array.from({ length: count }, (_, i) => ({
    parts: [{ text: `What is ${i + seed} plus ${(i * 7 + seed) % 100}?` }],
    maxTokens: tokens,
    ignoreEos: true,
  }));

/** Makes pictures that nobody has been shown, and says how answers about them end. */
export interface PictureSource {
  readonly model: { readonly imageAnswer: AnswerLength };
  newPictures(count: number): Promise<readonly Picture[]>;
}

/** Every round has pictures of its own: the fleet would know those of the round before. */
export async function questionsFor(
  harness: PictureSource,
  workload: Workload,
  count: number,
  seed: number,
): Promise<Question[]> {
  const { imageAnswer } = harness.model;
  if (workload === 'text') return textOnly(count, seed, TEXT_TOKENS);
  if (workload === 'unique') return uniqueImages(await harness.newPictures(count), imageAnswer);
  return repeatedImages(await harness.newPictures(firstShown(count)), count, seed, imageAnswer);
}
