import test from 'ava';
import { firstShown, repeatedImages, textOnly, uniqueImages } from '../../src/load/workloads.ts';
import type { Picture, Question } from '../../src/question.ts';

const LENGTH = { maxTokens: 8, ignoreEos: false };

const pictures = (count: number): Picture[] =>
  Array.from({ length: count }, (_, i) => ({ path: `${i}.png`, dataUri: '' }));

const shown = ({ parts }: Question): string[] =>
  parts.flatMap((part) => ('image' in part ? [part.image.path] : []));

test('unique images: every question shows another picture', (t) => {
  const paths = uniqueImages(pictures(20), LENGTH).flatMap(shown);
  t.is(new Set(paths).size, 20);
});

test('repeated images: four of five questions show a picture that was shown before', (t) => {
  const questions = repeatedImages(pictures(firstShown(100)), 100, 3, LENGTH);
  const seen = new Set<string>();
  const repeats = questions.filter((question) => {
    const [path = ''] = shown(question);
    const before = seen.has(path);
    seen.add(path);
    return before;
  });
  t.is(repeats.length, 80);
});

const make = (seed: number): Question[] => repeatedImages(pictures(10), 50, seed, LENGTH);

test('a seed always gives the same questions', (t) => {
  t.deepEqual(make(1), make(1));
  t.notDeepEqual(make(1), make(2));
});

test('text prompts differ and ask for answers of one length', (t) => {
  const questions = textOnly(64, 5, 100);
  t.is(new Set(questions.map(({ parts }) => JSON.stringify(parts))).size, 64);
  t.true(questions.every(({ maxTokens, ignoreEos }) => maxTokens === 100 && ignoreEos));
});
