import test from 'ava';
import { array, assert, constantFrom, nat, property } from 'fast-check';
import {
  ConstraintCompiler,
  allows,
  buildVocabulary,
  maskWords,
  type Constraint,
} from '../../src/index.ts';

/** Every byte, and tokens that cross the borders of what a schema is made of. */
const TOKENS = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...[
    '":',
    '": "',
    '","',
    '"}',
    '{"',
    ' "',
    'true',
    '12',
    '.5',
    ']}',
    'name',
    'na',
    '\n  ',
    'é',
    '"]}',
  ].map((text) => new TextEncoder().encode(text)),
  ...['  '.repeat(20), 'a'.repeat(30)].map((text) => new TextEncoder().encode(text)),
  null,
];
const compiler = new ConstraintCompiler(buildVocabulary(TOKENS));

const SCHEMAS = [
  {},
  {
    type: 'object',
    properties: { name: { type: 'string' }, na: { type: 'array', items: { type: 'number' } } },
    required: ['name'],
  },
  {
    type: 'object',
    properties: { name: { maxLength: 40, type: 'string' } },
    additionalProperties: false,
  },
  { type: 'array', items: { anyOf: [{ enum: ['na', 'name', 12] }, { type: 'boolean' }] } },
  { type: 'object', patternProperties: { '^na': { type: 'string', pattern: '^(name|é)+$' } } },
];

const constraints: Constraint[] = SCHEMAS.map((schema) => ({
  type: 'json',
  schema,
  ordered: false,
}));
constraints.push({ type: 'regex', pattern: '(name|12)+(é|true)?' });

test('on every way through, a mask allows just the tokens that are accepted', (t) => {
  const way = array(nat(10_000), { maxLength: 25 });
  assert(
    property(constantFrom(...constraints), way, (constraint, choices) => {
      const machine = compiler.compile(constraint);
      const mask = new Uint32Array(maskWords(TOKENS.length));
      let state = machine.start;
      for (const choice of choices) {
        machine.fillMask(state, mask);
        const allowed: number[] = [];
        for (const [id, bytes] of TOKENS.entries()) {
          const fits = bytes !== null && machine.accept(state, bytes).length > 0;
          if (allows(mask, id) !== fits) return false;
          if (fits) allowed.push(id);
        }
        // Nowhere does an answer come to a point from which it cannot continue.
        if (allowed.length === 0) return machine.isDone(state);
        const bytes = TOKENS[allowed[choice % allowed.length] ?? 0];
        if (bytes) state = machine.accept(state, bytes);
      }
      return true;
    }),
    { numRuns: 150, seed: 7 },
  );
  t.pass();
});

const call = (freeText: boolean): Constraint => ({
  type: 'tagged',
  tags: [{ begin: '<call>', schema: { type: 'integer' }, end: '</call>' }],
  freeText,
  least: freeText ? 0 : 1,
  most: null,
  separator: '\n',
});

function done(constraint: Constraint, text: string): boolean {
  const machine = compiler.compile(constraint);
  return machine.isDone(machine.accept(machine.start, Buffer.from(text)));
}

test('what is tagged follows its schema from the opener on; text around it is free', (t) => {
  const free = call(true);
  for (const text of ['', 'hi <there>', 'hi <call>12</call> and <call>3</call>!'])
    t.true(done(free, text), text);
  for (const text of ['<call>', '<call>x</call>', 'a<call>1</call><call>'])
    t.false(done(free, text), text);
});

test('without free text there is nothing but tags', (t) => {
  const bare = call(false);
  for (const text of ['<call>1</call>', '<call>1</call>\n<call>2</call>'])
    t.true(done(bare, text), text);
  for (const text of ['', 'hi', '<call>1</call>\n', '<call>1</call>x'])
    t.false(done(bare, text), text);
});

test('what may be written in place of tags excludes them', (t) => {
  const instead = { type: 'json', schema: { type: 'object' }, ordered: false } as const;
  const either = { ...call(false), least: 0, instead } as Constraint;
  for (const text of ['{}', '{"a": "<call>"}', '<call>1</call>', '<call>1</call>\n<call>2</call>'])
    t.true(done(either, text), text);
  for (const text of ['', 'hi', '1', '{}<call>1</call>', '<call>1</call>{}', '<call>{}</call>'])
    t.false(done(either, text), text);
});

test('equal constraints are compiled once', (t) => {
  const [first] = constraints;
  if (!first) throw new Error('There are constraints');
  t.is(compiler.compile(first), compiler.compile(structuredClone(first)));
});
