import test from 'ava';
import * as fc from 'fast-check';
import { preview } from '../../src/http/preview.ts';

test('it is the beginning of the JSON', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const json = JSON.stringify(value);
      const shown = preview(value);
      t.is(shown, json.length > 80 ? `${json.slice(0, 80)}…` : json);
    }),
    { numRuns: 500 },
  );
});

test('of a large value no more is looked at than is shown', (t) => {
  const seen: PropertyKey[] = [];
  const watched = new Proxy(
    Array.from({ length: 1_000 }, (_, index) => index),
    {
      get: (target, key, receiver) => {
        seen.push(key);
        return Reflect.get(target, key, receiver) as unknown;
      },
    },
  );
  t.regex(preview({ a: watched }), /^\{"a":\[0,1,2.*…$/);
  t.true(seen.length < 100);
  t.is(preview('x'.repeat(10_000_000)).length, 81);
  t.is(preview(undefined), 'nothing');
});
