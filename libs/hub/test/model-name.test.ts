import test, { type ExecutionContext } from 'ava';
import { HubError } from '../src/errors.ts';
import { parseModelName, pinned, type VariantChoice } from '../src/model-name.ts';

interface Read {
  readonly repository: string;
  readonly revision: string;
  readonly variants: VariantChoice;
}

const isRead = (t: ExecutionContext, text: string, expected: Read): void => {
  const { id, ...read } = parseModelName(text);
  t.deepEqual(read, { text, ...expected });
  t.false(id.includes('@'));
};

const plain = { repository: 'org/name', revision: 'main', variants: { graphs: {} } };
test('a name alone is the main branch in fp32', isRead, 'org/name', plain);
test('a revision follows an at sign', isRead, 'org/name@v1.2', { ...plain, revision: 'v1.2' });
const q4 = { all: 'q4', graphs: {} };
test('a variant follows a colon', isRead, 'org/name:q4', { ...plain, variants: q4 });
test('q8 is the suffix quantized', isRead, 'org/name:Q8', {
  ...plain,
  variants: { all: 'quantized', graphs: {} },
});
for (const text of ['org/name@dev:q4', 'org/name:q4@dev']) {
  test(`both, in either order: ${text}`, isRead, text, { ...plain, revision: 'dev', variants: q4 });
}
test('variants by graph', isRead, 'org/name:vision=fp16,decoder=q4,embed=fp32', {
  ...plain,
  variants: { graphs: { vision_encoder: 'fp16', decoder_model_merged: 'q4', embed_tokens: '' } },
});

const isRefused = (t: ExecutionContext, text: string, why: RegExp): void => {
  const error = t.throws(() => parseModelName(text), { instanceOf: HubError, message: why });
  t.is(error?.code, 'invalid_name');
};
test('a name without a slash', isRefused, 'name', /"name" is no repository name/);
test('a name that leaves the folder', isRefused, '../name', /no repository name/);
test('a name whose folder could be another’s', isRefused, 'a/b--c', /no repository name/);
test('two slashes', isRefused, 'a/b/c', /no repository name/);
test('a revision that leaves the folder', isRefused, 'a/b@../../x', /no branch, tag or commit/);
test('two revisions', isRefused, 'a/b@x:q4@y', /no revision and variant/);
test('an unknown graph', isRefused, 'a/b:audio=q4', /names none of vision, embed, decoder/);
test('an inherited word as a graph', isRefused, 'a/b:constructor=q4', /names none of/);
test('an empty variant', isRefused, 'a/b:', /"" is no variant/);

test('the fleet’s name keeps the variant and leaves the revision out; a pinned one fixes it', (t) => {
  const name = parseModelName('org/name@dev:Q4');
  t.is(name.id, 'org/name:q4');
  t.is(pinned(name, 'abc'), 'org/name@abc:q4');
  t.deepEqual(parseModelName(pinned(name, 'abc')).variants, name.variants);
});
