import test from 'ava';
import * as fc from 'fast-check';
import { jsonShape } from '../../src/http/json-shape.ts';

const NO_LIMITS = { maxElements: Infinity, maxDepth: Infinity };
const shape = (text: string) => jsonShape(Buffer.from(text), NO_LIMITS);

test('brackets, commas and quotes within strings do not count', (t) => {
  t.deepEqual(shape('{"a[{":"},],\\"[","b":[]}'), { elements: 3, depth: 2 });
  t.deepEqual(shape('["\\\\",[1]]'), { elements: 3, depth: 2 });
  t.deepEqual(shape('"no end [[['), { elements: 0, depth: 0 });
});

test('the depth is the real one, and no value is missed, whatever the JSON', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const { elements, depth } = shape(JSON.stringify(value));
      t.is(depth, depthOf(value));
      t.true(elements >= countOf(value) - 1);
    }),
    { numRuns: 300 },
  );
});

test('it ends where a limit is passed', (t) => {
  const json = Buffer.from('[[[[1,2,3],4],5],6]');
  t.is(jsonShape(json, { maxElements: 100, maxDepth: 2 }).depth, 3);
  t.is(jsonShape(json, { maxElements: 2, maxDepth: 100 }).elements, 3);
});

const childrenOf = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value) : [];

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...childrenOf(value).map(depthOf))
    : 0;

const countOf = (value: unknown): number =>
  1 + childrenOf(value).reduce<number>((sum, child) => sum + countOf(child), 0);
