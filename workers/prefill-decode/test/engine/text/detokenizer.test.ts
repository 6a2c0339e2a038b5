import test from 'ava';
import { Detokenizer } from '../../../src/engine/text/detokenizer.ts';
import { readGolden } from '../../helpers/golden.ts';

const { prompts } = await readGolden();
const { tokenizer } = prompts;

function pieces(ids: readonly number[]): string[] {
  const detokenizer = new Detokenizer(tokenizer);
  return [...ids.map((id) => detokenizer.push(id)), detokenizer.flush()];
}

for (const text of [
  ' The first image.',
  'naïve café',
  '🙂🙃',
  '日本語のテキスト',
  'a\u0301 e\u0308',
  '👩‍👩‍👧‍👦 family',
  'x\n\n  y\t',
]) {
  test(`pieces of ${JSON.stringify(text)} are whole characters and make up the text`, (t) => {
    const parts = pieces(tokenizer.encode(text));
    t.is(parts.join(''), text);
    t.false(parts.some((part) => part.includes('\uFFFD')));
  });
}

test('the blank that a decoder drops at the start of a text is dropped there, and nowhere else', (t) => {
  const words = [' A', ' red', ' circle', ' ', ' on', ' white'];
  // As decoders of SentencePiece models do.
  const decode = (ids: readonly number[]) =>
    ids
      .map((id) => words[id])
      .join('')
      .replace(/^ /, '');
  const detokenizer = new Detokenizer({ decode });
  const parts = [...words.keys()].map((id) => detokenizer.push(id));
  t.is(parts.join('') + detokenizer.flush(), 'A red circle  on white');
  t.is(parts[0], 'A');
});

test('a character that never ends is shown as such at the end', (t) => {
  const [start = 0] = tokenizer.encode('🙂');
  const parts = pieces([...tokenizer.encode('so '), start]);
  t.is(parts.slice(0, -1).join(''), 'so ');
  t.is(parts.at(-1), '\uFFFD');
});

test('bytes that are no character do not hold up what follows', (t) => {
  const [start = 0] = tokenizer.encode('🙂');
  const parts = pieces([start, start, ...tokenizer.encode(' and on')]);
  t.is(parts.join(''), '\uFFFD\uFFFD and on');
});

test('a long run of unfinished characters is let out before the end', (t) => {
  const [start = 0] = tokenizer.encode('🙂');
  const parts = pieces(Array.from({ length: 70 }, () => start));
  t.true(parts.slice(0, 40).join('').length > 0);
  t.is(parts.join(''), '\uFFFD'.repeat(70));
});

test('control tokens are no text', (t) => {
  t.is(pieces([...tokenizer.encode('a b'), ...tokenizer.eosTokenIds]).join(''), 'a b');
});
