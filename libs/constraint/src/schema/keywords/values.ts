import type { Normal } from '../values/normal.ts';
import { ANY_ARRAY } from '../values/shapes.ts';
import { refuse, type KeywordReader, type SchemaContext } from '../values/context.ts';
import type { SchemaObject } from '../values/document.ts';

/** `enum` and `const` */
export const values: KeywordReader = (schema, context) => {
  const lists: [string, readonly unknown[]][] = [];
  if (schema['enum'] !== undefined) lists.push(['enum', listIn(schema, context)]);
  if (Object.hasOwn(schema, 'const')) lists.push(['const', [schema['const']]]);
  return lists.map(([keyword, list]) => ({
    keyword,
    holds: () => context.normals.or(...grouped(list, schema, context)),
    fails: () => otherThan(list, schema, keyword, context),
  }));
};

function listIn(schema: SchemaObject, context: SchemaContext): readonly unknown[] {
  const list = schema['enum'];
  if (Array.isArray(list)) return list;
  throw refuse(context, schema, 'enum', 'expected a list of values', 'invalid');
}

/** The scalars in one piece, each array and object by itself. */
function* grouped(
  list: readonly unknown[],
  schema: SchemaObject,
  context: SchemaContext,
): Generator<Normal> {
  yield scalarsIn(list, context);
  for (const value of list) {
    if (Array.isArray(value)) yield exactArray(value, schema, context);
    else if (typeof value === 'object' && value !== null)
      yield exactObject(value as SchemaObject, schema, context);
  }
}

function scalarsIn(list: readonly unknown[], { normals, scalars }: SchemaContext): Normal {
  const { pool, form } = scalars;
  const strings = list.filter((value) => typeof value === 'string');
  const numbers = list.filter((value) => typeof value === 'number');
  return {
    ...normals.nothing,
    null: list.includes(null),
    true: list.includes(true),
    false: list.includes(false),
    strings: pool.or(...strings.map((value) => form.text(value))),
    numbers: pool.or(...numbers.map((value) => pool.text(JSON.stringify(value)))),
  };
}

function exactArray(
  value: readonly unknown[],
  schema: SchemaObject,
  context: SchemaContext,
): Normal {
  const prefix = value.map((item) => [exactly(item, schema, context)]);
  const { length } = value;
  const array = { ...ANY_ARRAY, prefix, min: length, max: length };
  return { ...context.normals.nothing, arrays: [array] };
}

function exactObject(value: SchemaObject, schema: SchemaObject, context: SchemaContext): Normal {
  const named = new Map(
    Object.entries(value).map(([key, item]) => [key, [exactly(item, schema, context)]]),
  );
  const required = new Set(named.keys());
  const object = { named, required, others: [], min: named.size, max: named.size };
  return { ...context.normals.nothing, objects: [object] };
}

/** A schema of our own making stands where its value does. */
function exactly(value: unknown, schema: SchemaObject, context: SchemaContext) {
  const made = { const: value };
  context.document.place(made, context.document.pathOf(schema));
  return context.atoms.of(made);
}

function otherThan(
  list: readonly unknown[],
  schema: SchemaObject,
  keyword: string,
  context: SchemaContext,
): Normal {
  if (list.some((value) => typeof value === 'object' && value !== null))
    throw refuse(context, schema, keyword, 'arrays and objects are not supported under a negation');
  const { normals, scalars } = context;
  const { pool } = scalars;
  const excluded = scalarsIn(list, context);
  const numbers = list.filter((value) => typeof value === 'number');
  return {
    ...normals.all,
    null: !excluded.null,
    true: !excluded.true,
    false: !excluded.false,
    strings: scalars.notString(excluded.strings),
    numbers:
      numbers.length === 0
        ? normals.all.numbers
        : scalars.notNumber(pool.or(...numbers.map((value) => scalars.equalTo(value)))),
  };
}
