import test from 'ava';
import { withoutNulls } from '../../src/http/drop-nulls.ts';

test('a null in a conversation is as if it were not there, at every depth', (t) => {
  const url = { url: 'data:', detail: null, uuid: null, file_id: null };
  const part = { type: 'image_url', image_url: url, cache_control: null };
  const body = {
    seed: null,
    messages: [{ role: 'user', name: null, content: [part, { type: 'text', text: 'a' }] }],
    input: [
      { role: 'user', id: null, content: [{ type: 'input_image', image_url: 'u', file_id: null }] },
    ],
  };
  t.deepEqual(withoutNulls(body), {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:' } },
          { type: 'text', text: 'a' },
        ],
      },
    ],
    input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'u' }] }],
  });
});

test('nulls that mean something stay: in a JSON schema, and as elements of a list', (t) => {
  const schema = { properties: { a: { const: null, enum: [null] } } };
  const body = { response_format: { json_schema: { schema } }, messages: [null], stop: [null] };
  t.deepEqual(withoutNulls(body), body);
});

test('what is no object, or nests without end, is left for its schema to refuse', (t) => {
  t.is(withoutNulls(null), null);
  t.deepEqual(withoutNulls([null]), [null]);
  let deep: unknown = null;
  for (let level = 0; level < 5_000; level += 1) deep = [deep];
  t.notThrows(() => withoutNulls({ messages: deep }));
});
