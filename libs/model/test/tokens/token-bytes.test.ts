import test from 'ava';
import { readModelFolder } from '../../src/folder/model-folder.ts';
import { Tokenizer } from '../../src/tokens/tokenizer.ts';
import { bytesPerTokenMax } from '../../src/tokens/token-bytes.ts';
import { TINY_VLM } from '../helpers/folders.ts';

const folder = await readModelFolder(TINY_VLM);
const tokenizer = new Tokenizer(folder);

type File = Parameters<typeof bytesPerTokenMax>[0];
const file = (changes: object, model: object = {}): File => ({
  ...folder.tokenizer,
  ...changes,
  model: { ...folder.tokenizer.model, ...model },
});

const most = bytesPerTokenMax(folder.tokenizer);

for (const [name, text] of [
  ['words', 'word '.repeat(400)],
  ['the longest token over and over', ' information'.repeat(300)],
  ['blanks', ' '.repeat(3000)],
  ['one letter', 'a'.repeat(3000)],
  ['other scripts and signs', '日本語 🎈 \uFDD0'.repeat(200)],
  ['what spells control tokens', '<fake_token_around_image>'.repeat(100)],
] as const) {
  test(`a text of ${name} has no fewer tokens than its bytes say`, (t) => {
    t.true(tokenizer.encode(text).length >= Buffer.byteLength(text) / most);
  });
}

test('the bound is the longest token of text, control tokens apart', (t) => {
  t.true(most >= 8 && most < 25, `${most} bytes`);
  const vocab = { Ġa: 0, Ġveryveryverylongwordindeedasitiswritten: 1 };
  t.is(bytesPerTokenMax(file({}, { vocab })), 40);
  const added = [{ id: 9, content: 'ö'.repeat(50), special: false }];
  t.is(bytesPerTokenMax(file({ added_tokens: added })), 100);
});

test('a normalizer that shortens text widens the bound', (t) => {
  t.is(bytesPerTokenMax(file({ normalizer: { type: 'NFKC' } })), 4 * most);
  const both = { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] };
  t.is(bytesPerTokenMax(file({ normalizer: both })), 9 * most);
});

for (const [name, unsure] of [
  ['a normalizer that may drop text', file({ normalizer: { type: 'StripAccents' } })],
  ['words that become one unknown token', file({}, { type: 'WordPiece' })],
  ['bytes that no token stands for', file({ pre_tokenizer: { type: 'Digits' } })],
  [
    'a division that drops text',
    file({
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'ByteLevel' }, { type: 'Split', behavior: 'Removed' }],
      },
    }),
  ],
] as const) {
  test(`with ${name} the bound is wide`, (t) => {
    t.is(bytesPerTokenMax(unsure), 1024);
  });
}

test('SentencePiece with bytes to fall back on is bounded', (t) => {
  const changes = { normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' } };
  const pieces = {
    type: 'Unigram',
    byte_fallback: true,
    vocab: [
      ['▁hello', -1],
      ['ö', -2],
    ],
  };
  t.is(bytesPerTokenMax(file({ ...changes, pre_tokenizer: null }, pieces)), 8);
});
