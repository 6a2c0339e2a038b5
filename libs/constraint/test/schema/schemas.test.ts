import test from 'ava';
import { compile } from '../../src/compile.ts';
import { ConstraintError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { RegexPool } from '../../src/regex/pool.ts';

/** Whether each text can be written to its end under the schema. */
function accepts(
  schema: unknown,
  ordered = false,
  limits = DEFAULT_LIMITS,
): (text: string) => boolean {
  const constraint = { type: 'json', schema, ordered } as const;
  const { frames, start } = compile(new RegexPool(), constraint, limits);
  return (text) => {
    let state = start;
    for (const byte of Buffer.from(text)) state = frames.step(state, byte);
    return state.includes(frames.done);
  };
}

interface Case {
  readonly schema: unknown;
  readonly valid: readonly unknown[];
  readonly invalid: readonly unknown[];
}

const tree = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: { v: { type: 'integer' }, next: { $ref: '#/$defs/node' } },
      required: ['v'],
      additionalProperties: false,
    },
  },
};

const CASES: Readonly<Record<string, Case>> = {
  'any value': { schema: {}, valid: [1, 'a', null, [1, {}], { a: [] }, -1.5e-3], invalid: [] },
  'fractional bounds': {
    schema: { type: 'number', minimum: 0, exclusiveMaximum: 1 },
    valid: [0, 0.5, 0.999],
    invalid: [1, -0.1, '0'],
  },
  'lengths count characters': {
    schema: { type: 'string', minLength: 2, maxLength: 3 },
    valid: ['ab', 'é€', '😀😀😀', 'a"\\'],
    invalid: ['a', 'abcd'],
  },
  'pattern and length together': {
    schema: { type: 'string', pattern: '^[ab]+$', maxLength: 3 },
    valid: ['a', 'abb'],
    invalid: ['', 'abba', 'c'],
  },
  'optional members in any order, no others': {
    schema: {
      type: 'object',
      properties: { a: { type: 'null' }, b: { type: 'boolean' } },
      required: ['b'],
      additionalProperties: false,
    },
    valid: [{ b: true }, { b: false, a: null }, { a: null, b: true }],
    invalid: [{}, { a: null }, { b: 1 }, { b: true, c: 1 }],
  },
  'patternProperties beside properties': {
    schema: {
      properties: { x1: { minimum: 5 } },
      patternProperties: { '^x': { type: 'integer' } },
      additionalProperties: { type: 'string' },
    },
    valid: [{ x1: 5, x2: 0, y: 'a' }, {}, 3],
    invalid: [{ x1: 4 }, { x1: 'a' }, { x2: 'a' }, { y: 1 }],
  },
  'counted members': {
    schema: { type: 'object', minProperties: 1, maxProperties: 2 },
    valid: [{ a: 1 }, { a: 1, b: 2 }],
    invalid: [{}, { a: 1, b: 2, c: 3 }],
  },
  tuples: {
    schema: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'null' }], items: false },
    valid: [[], ['a'], ['a', null]],
    invalid: [[1], ['a', 1], ['a', null, 1]],
  },
  'counted items': {
    schema: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 3 },
    valid: [
      [1, 2],
      [1, 2, 3],
    ],
    invalid: [[1], [1, 2, 3, 4], [1, 'a']],
  },
  recursion: {
    schema: tree,
    valid: [{ v: 1 }, { v: 1, next: { v: 2, next: { v: 3 } } }],
    invalid: [{ next: { v: 1 } }, { v: 1, next: {} }],
  },
  'allOf is the intersection': {
    schema: { allOf: [{ type: 'integer' }, { minimum: 3 }, { not: { enum: [5] } }] },
    valid: [3, 4, 6],
    invalid: [2, 5, 3.5],
  },
  'oneOf leaves out what two alternatives share': {
    schema: {
      oneOf: [
        { type: 'integer', multipleOf: 2 },
        { type: 'integer', multipleOf: 3 },
      ],
    },
    valid: [2, 3, 4, 9],
    invalid: [0, 6, 12, 5],
  },
  'oneOf told apart by a member': {
    schema: {
      oneOf: [
        { type: 'object', properties: { kind: { const: 'a' } }, required: ['kind'] },
        {
          type: 'object',
          properties: { kind: { const: 'b' }, n: { type: 'integer' } },
          required: ['kind', 'n'],
        },
      ],
    },
    valid: [{ kind: 'a' }, { kind: 'b', n: 1 }, { n: 1, kind: 'b' }],
    invalid: [{ kind: 'b' }, { kind: 'c' }, { n: 1 }],
  },
  'if, then, else': {
    schema: JSON.parse(`{
      "type": "object",
      "properties": { "a": { "type": "boolean" }, "b": { "type": "integer" } },
      "required": ["a"],
      "if": { "properties": { "a": { "const": true } } },
      "then": { "required": ["b"] }
    }`) as unknown,
    valid: [{ a: false }, { a: true, b: 1 }, { b: 1, a: true }],
    invalid: [{ a: true }],
  },
  'dependent members': {
    schema: { type: 'object', dependentRequired: { a: ['b'] } },
    valid: [{}, { b: 1 }, { a: 1, b: 2 }, { b: 1, a: 2 }],
    invalid: [{ a: 1 }],
  },
  'enum and const of every type': {
    schema: { enum: [1, 'a"b', null, [1, { x: true }], { y: [] }] },
    valid: [1, 'a"b', null, [1, { x: true }], { y: [] }],
    invalid: [2, 'a', [1], { y: [1] }, { y: [], z: 1 }],
  },
  propertyNames: {
    schema: { type: 'object', propertyNames: { pattern: '^[a-c]+$' } },
    valid: [{}, { abc: 1 }],
    invalid: [{ d: 1 }],
  },
  formats: {
    schema: { type: 'object', additionalProperties: { type: 'string', format: 'date' } },
    valid: [{ d: '2024-02-29' }],
    invalid: [{ d: '2023-02-29' }, { d: '2024-13-01' }],
  },
};

for (const [name, { schema, valid, invalid }] of Object.entries(CASES)) {
  test(`${name}: what is valid can be written, compact and indented, and nothing else`, (t) => {
    const writes = accepts(schema);
    for (const value of valid)
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
        t.true(writes(text), text);
    for (const value of invalid) t.false(writes(JSON.stringify(value)), JSON.stringify(value));
  });
}

test('members of an ordered object come as the schema names them', (t) => {
  const schema = { type: 'object', properties: { b: {}, a: {}, c: {} }, required: ['a'] };
  const ordered = accepts(schema, true);
  t.deepEqual(
    ['{"b":1,"a":1}', '{"a":1,"c":1}', '{"a":1,"b":1}', '{"c":1,"a":1}', '{"a":1,"z":1}'].map(
      ordered,
    ),
    [true, true, false, false, true],
  );
});

test('a key is not to be had a second time, nor by an escape', (t) => {
  const closed = accepts({ type: 'object', properties: { a: { type: 'null' } } });
  t.false(closed('{"a":null,"a":null}'));
  t.false(closed(String.raw`{"\u0061":1}`));
});

test('blanks come to an end', (t) => {
  const any = accepts({});
  t.true(any('[ 1,\n\t2 ]'));
  t.false(any(`[${' '.repeat(2)}1]`));
  t.false(any(`[\n${' '.repeat(41)}1]`));
});

test('a member that nothing satisfies is left out; a required one makes the whole impossible', (t) => {
  const never = { allOf: [{ type: 'string' }, { type: 'null' }] };
  const optional = accepts({ type: 'object', properties: { a: never } });
  t.true(optional('{"b":1}'));
  t.false(optional('{"a":1}'));
  t.throws(() => accepts({ type: 'object', properties: { a: never }, required: ['a'] }), {
    message: /nothing satisfies/,
  });
});

for (const [keyword, path, schema] of [
  ['uniqueItems', '/properties/a', { properties: { a: { type: 'array', uniqueItems: true } } }],
  ['contains', '', { contains: {} }],
  ['format', '/items', { items: { format: 'ports' } }],
  ['pattern', '', { pattern: String.raw`(a)\1` }],
  ['$ref', '', { $ref: 'https://example.com/schema' }],
  ['$ref', '', { $ref: '#' }],
  ['type', '/items', { items: { type: 'str' } }],
  ['unevaluatedProperties', '', { unevaluatedProperties: false }],
  ['minLength', '', { minLength: -1 }],
  ['items', '/not', { not: { items: { type: 'string' } } }],
] as const) {
  test(`${keyword} at "${path}" is refused with its name and place: ${JSON.stringify(schema)}`, (t) => {
    const error = t.throws(() => accepts(schema), { instanceOf: ConstraintError });
    t.like(error, { keyword, path });
  });
}

test('limits of depth, members, bytes and work are reported', (t) => {
  const deep = JSON.parse('{"items":'.repeat(70) + '{}' + '}'.repeat(70)) as unknown;
  t.throws(() => accepts(deep), { message: /deeper than 64/ });
  const properties = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`k${at}`, {}]));
  t.throws(() => accepts({ properties }), { message: /more than 10000 members/ });
  t.throws(() => accepts({ description: 'x'.repeat(200_000) }), { message: /at most 131072/ });
  t.throws(
    () =>
      accepts({ allOf: [{ pattern: '^(ab|c){900}$' }, { not: { pattern: 'd' } }] }, false, {
        ...DEFAULT_LIMITS,
        work: 1_000,
      }),
    {
      code: 'too_large',
    },
  );
});
