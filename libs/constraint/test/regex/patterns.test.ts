import test from 'ava';
import { ConstraintError } from '../../src/errors.ts';
import { matching, searching } from '../../src/pattern/build.ts';
import { nextOf } from '../../src/regex/next.ts';
import { RegexPool } from '../../src/regex/pool.ts';
import type { Regex } from '../../src/regex/regex.ts';
import { jsonText, plainText } from '../../src/regex/texts.ts';

const pool = new RegexPool();
const plain = plainText(pool);
const json = jsonText(pool);

function matches(regex: Regex, text: string): boolean {
  let at: Regex | null = regex;
  for (const byte of Buffer.from(text)) {
    at = nextOf(pool, at, byte);
    if (at === null) return false;
  }
  return at.nullable;
}

const PATTERNS = [
  '^[a-z]{2,4}$',
  'ab|^c$',
  String.raw`(?=.*[A-Z])(?=.*\d)^.{4,8}$`,
  '^(?!foo)[a-z]+$',
  String.raw`[\w\d_\.-]+@([\w\d_\.-]+\.)+[\w]+`,
  '^$',
  'é+',
  String.raw`^(https?:\/\/)?([\da-z\.-]+)\.([a-z\.]{2,6})([\/\w \.-]*)*\/?$`,
  String.raw`a\sb`,
  '[^A-Z_ ]+',
  String.raw`20\d{2}-\w{3}-[0-3]\d`,
  '(a|b$)c*',
  '/^[0-9]{4}$/',
  String.raw`^\u{1F600}.$`,
];
const TEXTS = [
  'abc',
  'abcde',
  'c',
  'xc',
  'Ab12',
  'Abcdefg123',
  'aB1',
  'foox',
  'barx',
  'a@b.c',
  '@',
  '',
  'é',
  'née',
  'https://x.com/a b',
  'x.com',
  'a b',
  'a\nb',
  'ABC',
  '2010-abc-31',
  'b',
  'accc',
  '/^1234$/',
  '"x\\',
  '\u0001',
  '😀é',
  '😀',
];

test('texts match a pattern as JavaScript has it, plain and as content of JSON strings', (t) => {
  for (const source of PATTERNS) {
    const expected = new RegExp(source, 'u');
    const inPlain = searching(pool, plain, source);
    const inJson = searching(pool, json, source);
    for (const text of TEXTS) {
      const found = expected.test(text);
      t.is(matches(inPlain, text), found, `${source} on ${text}`);
      t.is(matches(inJson, JSON.stringify(text).slice(1, -1)), found, `${source} on ${text}`);
    }
  }
});

test('a whole match is anchored at both ends', (t) => {
  const regex = matching(pool, plain, 'a|bc');
  t.deepEqual(
    ['a', 'bc', 'ab', 'bcc', ''].map((text) => matches(regex, text)),
    [true, true, false, false, false],
  );
});

for (const [source, reason] of [
  [String.raw`(a)\1`, /"\\1"/],
  ['(?<=a)b', /look-behind/],
  [String.raw`a\b`, /"\\b"/],
  ['(a{20000})', /count above/],
  ['(?:^a)*', /assertion in a repeated part/],
  ['(', /not a regular expression/],
] as const) {
  test(`${source} is refused by what it asks for`, (t) => {
    const error = t.throws(() => searching(pool, plain, source), { instanceOf: ConstraintError });
    t.regex(error?.message ?? '', reason);
  });
}

test('an automaton that grows too large ends in an error, not in time', (t) => {
  const small = new RegexPool();
  const form = plainText(small);
  small.budget = 5_000;
  const regex = searching(small, form, '(a|b)*a(a|b){14}$');
  const walk = (): void => {
    const open = [regex];
    const seen = new Set(open);
    for (let at = open.pop(); at; at = open.pop())
      for (const byte of Buffer.from('ab')) {
        const next = nextOf(small, at, byte);
        if (next && !seen.has(next)) open.push(next);
        if (next) seen.add(next);
      }
  };
  t.throws(walk, { name: 'ConstraintError', message: /more work/ });
});
