import test from 'ava';
import { readModelFolder, Tokenizer } from '@epd/model';
import { change, copyOfTinyVlm, TINY_VLM } from '../helpers/folders.ts';
import { yardstick } from '../helpers/yardstick.ts';

const load = async (folder = TINY_VLM): Promise<Tokenizer> =>
  new Tokenizer(await readModelFolder(folder));

const TEXTS = ['The first image.', ' leading', '日本語 🎈', 'a\n\nb\tc', '2024-11-22', ''];

for (const text of TEXTS) {
  test(`${JSON.stringify(text)} is encoded as by the reference and comes back`, async (t) => {
    const tokenizer = await load();
    const reference = (await yardstick(TINY_VLM)).tokenizer;
    t.deepEqual(tokenizer.encode(text), reference?.encode(text));
    t.is(tokenizer.decode(tokenizer.encode(text)), text);
  });
}

test('special tokens are shown or left out', async (t) => {
  const tokenizer = await load();
  const ids = [1, ...tokenizer.encode('Red.'), 3];
  t.is(tokenizer.decode(ids), '<|im_start|>Red.<end_of_utterance>');
  t.is(tokenizer.decode(ids, { skipSpecialTokens: true }), 'Red.');
});

test('a part of a character is shown by the replacement character', async (t) => {
  const tokenizer = await load();
  const ids = tokenizer.encode('🎈');
  t.true(ids.length > 1);
  t.true(tokenizer.decode(ids.slice(0, 1)).includes('\uFFFD'));
});

test('the ids that end an answer come from the generation configuration first', async (t) => {
  t.deepEqual((await load()).eosTokenIds, [3]);
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'generation_config.json', () => ({ eos_token_id: [2, 3] }));
  t.deepEqual((await load(folder)).eosTokenIds, [2, 3]);
  await change(folder, 'generation_config.json', () => ({}));
  t.deepEqual((await load(folder)).eosTokenIds, [3]);
});

test('a tokenizer whose post-processor begins prompts returns the token', async (t) => {
  t.is((await load()).bosTokenId, null);
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'tokenizer.json', (json) => ({
    ...json,
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '<|im_start|>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '<|im_start|>': { id: '<|im_start|>', ids: [1], tokens: ['<|im_start|>'] },
      },
    },
  }));
  const tokenizer = await load(folder);
  t.is(tokenizer.bosTokenId, 1);
  t.deepEqual(tokenizer.encode('Red.'), (await load()).encode('Red.'));
});
