import test from 'ava';
import { Type } from 'typebox';
import { ConfigError, describeConfig, readConfig } from '@epd/service';

const schema = Type.Object({
  port: Type.Integer({
    env: 'PORT',
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'Port',
  }),
  ratio: Type.Number({ env: 'RATIO', default: 0.5, exclusiveMinimum: 0 }),
  strict: Type.Boolean({ env: 'STRICT', default: false }),
  mode: Type.Union([Type.Literal('fast'), Type.Literal('safe')], { env: 'MODE', default: 'safe' }),
  sizes: Type.Array(Type.Integer({ minimum: 1 }), { env: 'SIZES', default: [1, 2], maxItems: 3 }),
  name: Type.String({ env: 'NAME' }),
  key: Type.Optional(Type.String({ env: 'KEY', secret: true, minLength: 8 })),
});

function problemsOf(t: { fail(message: string): void }, env: Record<string, string>) {
  try {
    readConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  t.fail('accepted');
  throw new Error('accepted');
}

test('variables that are not set, or empty, take their defaults', (t) => {
  t.deepEqual(readConfig(schema, { NAME: 'a', PORT: '', KEY: '' }), {
    port: 8080,
    ratio: 0.5,
    strict: false,
    mode: 'safe',
    sizes: [1, 2],
    name: 'a',
  });
});

test('strings become the type that the schema gives', (t) => {
  const env = {
    PORT: '0',
    RATIO: '1e-1',
    STRICT: 'Yes',
    MODE: 'fast',
    SIZES: ' 3, 4 ',
    NAME: '12',
    KEY: 'secret-key',
  };
  t.deepEqual(readConfig(schema, env), {
    port: 0,
    ratio: 0.1,
    strict: true,
    mode: 'fast',
    sizes: [3, 4],
    name: '12',
    key: 'secret-key',
  });
});

test('the configuration cannot be changed, nor can its lists', (t) => {
  const config = readConfig(schema, { NAME: 'a' });
  t.true(Object.isFrozen(config));
  t.true(Object.isFrozen(config.sizes));
});

for (const [variable, value, expected] of [
  ['PORT', '70000', 'an integer from 0 to 65535'],
  ['PORT', '80.5', 'an integer from 0 to 65535'],
  ['PORT', '0x10', 'an integer from 0 to 65535'],
  ['PORT', ' ', 'an integer from 0 to 65535'],
  ['RATIO', '0', 'a number above 0'],
  ['RATIO', 'Infinity', 'a number above 0'],
  ['STRICT', 'maybe', 'true or false'],
  ['MODE', 'FAST', '"fast" or "safe"'],
  ['SIZES', '1,x', 'a list with commas, each an integer of at least 1, at most 3'],
  ['SIZES', '1,2,3,4', 'a list with commas, each an integer of at least 1, at most 3'],
] as const) {
  test(`${variable}=${JSON.stringify(value)} is refused: ${expected}`, (t) => {
    const { problems } = problemsOf(t, { NAME: 'a', [variable]: value });
    t.deepEqual(problems, [{ variable, expected, value }]);
  });
}

test('every problem is in the one message, with what was expected and found', (t) => {
  const { message } = problemsOf(t, { PORT: 'x', MODE: 'y' });
  t.regex(message, /PORT: must be an integer from 0 to 65535; it is "x"/);
  t.regex(message, /MODE: must be "fast" or "safe"; it is "y"/);
  t.regex(message, /NAME: must be a text; it is not set/);
});

test('the value of a secret is not shown', (t) => {
  const { message } = problemsOf(t, { NAME: 'a', KEY: 'hunter2' });
  t.regex(message, /KEY: must be a text of at least 8 characters; it is "\(hidden\)"/);
  t.notRegex(message, /hunter2/);
});

test('a relative path counts from the project, an absolute one stays', (t) => {
  const paths = Type.Object({ dir: Type.String({ env: 'DIR', default: 'models', path: true }) });
  t.regex(readConfig(paths, {}).dir, /^\/.*\/models$/);
  t.is(readConfig(paths, {}).dir, `${readConfig(paths, { DIR: '.' }).dir}/models`);
  t.is(readConfig(paths, { DIR: '/srv/models' }).dir, '/srv/models');
});

test('a schema describes itself row by row', (t) => {
  const rows = describeConfig(schema);
  t.deepEqual(rows[0], {
    name: 'PORT',
    type: 'an integer from 0 to 65535',
    default: '8080',
    required: false,
    secret: false,
    description: 'Port',
  });
  t.deepEqual(
    rows.filter((row) => row.required).map((row) => row.name),
    ['NAME'],
  );
  t.deepEqual(
    rows.filter((row) => row.secret).map((row) => row.name),
    ['KEY'],
  );
});

test('a property without a variable is a mistake of the program', (t) => {
  t.throws(() => readConfig(Type.Object({ a: Type.String() }), {}), { instanceOf: TypeError });
});
