import test from 'ava';
import { readModelFolder } from '../../src/folder/model-folder.ts';
import { tokenBytes } from '../../src/tokens/vocabulary-bytes.ts';
import { Tokenizer } from '../../src/tokens/tokenizer.ts';
import { TINY_VLM } from '../helpers/folders.ts';

const folder = await readModelFolder(TINY_VLM);

test('the bytes of tokens, put together, are the text that they stand for', (t) => {
  const bytes = tokenBytes(folder);
  const tokenizer = new Tokenizer(folder);
  for (const text of ['{"shop": "Café €😀", "total": 12.50}\n', '\t\u0000 plain']) {
    const ids = tokenizer.encode(text);
    const spelled = Buffer.concat(ids.map((id) => bytes[id] ?? new Uint8Array()));
    t.is(spelled.toString(), text);
  }
  t.is(bytes[tokenizer.eosTokenIds[0] ?? -1], null);
});

test('vocabularies with byte fallback spell blanks and single bytes', (t) => {
  const vocab = { '<0x0A>': 0, '▁a▁': 1, b: 2 };
  const decoder = { type: 'Sequence', decoders: [{ type: 'Replace' }, { type: 'ByteFallback' }] };
  const tokenizer = { model: { vocab }, added_tokens: [], decoder };
  const bytes = tokenBytes({ ...folder, tokenizer });
  t.deepEqual(
    bytes.map((spelled) => Buffer.from(spelled ?? []).toString()),
    ['\n', ' a ', 'b'],
  );
});

test('a vocabulary that is neither is refused', (t) => {
  const tokenizer = {
    model: { vocab: { a: 0 } },
    added_tokens: [],
    decoder: { type: 'WordPiece' },
  };
  t.throws(() => tokenBytes({ ...folder, tokenizer }), {
    name: 'ModelFolderError',
  });
});
