import test from 'ava';
import { progressLine } from '../../tools/progress-bar.ts';

test('a line says how far a download is, of how much, how fast', (t) => {
  const line = progressLine('org/vlm', 500e6, 2e9, 10_000);
  t.is(line, `org/vlm  ${'█'.repeat(6)}${'░'.repeat(18)}  25 %  0.50 of 2.00 GB, 50.0 MB/s`);
});

test('nothing to fetch is all of it', (t) => {
  t.regex(progressLine('org/vlm', 0, 0, 0), /100 %/);
});
