import type { Atom } from '../values/atom.ts';
import {
  countIn,
  refuse,
  schemaMap,
  stringsIn,
  subschema,
  type Assertion,
  type KeywordReader,
  type SchemaContext,
} from '../values/context.ts';
import type { Schema, SchemaObject } from '../values/document.ts';
import type { Normal } from '../values/normal.ts';
import type { KeyClass, ObjectShape } from '../values/shapes.ts';
import { patternIn } from './strings.ts';

/** `properties`, `patternProperties`, `additionalProperties`, `propertyNames`, `required`, `minProperties`, `maxProperties` */
export const objects: KeywordReader = (schema, context) => [
  ...members(schema, context),
  ...names(schema, context),
  ...required(schema, context),
  ...counts(schema, context),
];

function members(schema: SchemaObject, context: SchemaContext): Assertion[] {
  const keywords = ['properties', 'patternProperties', 'additionalProperties'];
  const keyword = keywords.find((name) => schema[name] !== undefined);
  if (keyword === undefined) return [];
  const shape = (): ObjectShape => memberShape(schema, context);
  const assertion = { keyword, holds: () => ({ ...context.normals.all, objects: [shape()] }) };
  const open = keywords.slice(1).every((name) => schema[name] === undefined);
  return [open ? { ...assertion, fails: () => someMemberFails(schema, context) } : assertion];
}

function memberShape(schema: SchemaObject, context: SchemaContext): ObjectShape {
  const { normals, atoms } = context;
  const patterns = schemaMap(context, schema, 'patternProperties').map(
    ([source, part]): KeyClass => ({
      keys: patternIn(schema, 'patternProperties', source, context),
      atoms: [atoms.of(part)],
    }),
  );
  const named = schemaMap(context, schema, 'properties').map(([name, part]) => {
    const others = patterns.filter(({ keys }) => normals.matches(keys, name));
    return [name, [atoms.of(part), ...others.flatMap((other) => other.atoms)]] as const;
  });
  const additional =
    schema['additionalProperties'] === undefined
      ? []
      : [atoms.of(subschema(context, schema, 'additionalProperties'))];
  const others = partition(patterns, additional, context);
  return { ...normals.anyObject, named: new Map(named), others };
}

/** All keys, by which of the patterns they match. */
function partition(
  patterns: readonly KeyClass[],
  additional: readonly Atom[],
  { scalars }: SchemaContext,
): KeyClass[] {
  const { pool } = scalars;
  let classes: KeyClass[] = [{ keys: scalars.anyString, atoms: [] }];
  for (const pattern of patterns) {
    classes = classes.flatMap(({ keys, atoms }) => [
      { keys: pool.and(keys, pattern.keys), atoms: [...atoms, ...pattern.atoms] },
      { keys: pool.and(keys, scalars.notString(pattern.keys)), atoms },
    ]);
  }
  return classes.map(({ keys, atoms }) => ({
    keys,
    atoms: atoms.length === 0 ? additional : atoms,
  }));
}

function someMemberFails(schema: SchemaObject, context: SchemaContext): Normal {
  const { normals, atoms } = context;
  const failing = (name: string, part: Schema): ObjectShape => ({
    ...normals.anyObject,
    named: new Map([[name, [atoms.of(part, true)]]]),
    required: new Set([name]),
  });
  const parts = schemaMap(context, schema, 'properties');
  const shapes = parts.map(([name, part]) => failing(name, part));
  return { ...normals.nothing, objects: shapes };
}

function names(schema: SchemaObject, context: SchemaContext): Assertion[] {
  if (schema['propertyNames'] === undefined) return [];
  const atom = context.atoms.of(subschema(context, schema, 'propertyNames'));
  const { normals } = context;
  const holds = (): Normal => {
    const others = [{ keys: context.normalOf(atom).strings, atoms: [] }];
    return { ...normals.all, objects: [{ ...normals.anyObject, others: closed(others, context) }] };
  };
  return [{ keyword: 'propertyNames', holds }];
}

/** Keys of none of the classes must not be there. */
function closed(classes: readonly KeyClass[], { atoms, scalars }: SchemaContext): KeyClass[] {
  const rest = scalars.notString(scalars.pool.or(...classes.map(({ keys }) => keys)));
  return [...classes, { keys: rest, atoms: [atoms.of(false)] }];
}

function required(schema: SchemaObject, context: SchemaContext): Assertion[] {
  const value = schema['required'];
  // The third draft has it as a flag of the member.
  if (value === undefined || typeof value === 'boolean') return [];
  const keys = stringsIn(context, schema, 'required');
  const { normals } = context;
  return [
    {
      keyword: 'required',
      holds: () => ({ ...normals.all, objects: [requiring(keys, context)] }),
      fails: () => ({
        ...normals.nothing,
        objects: keys.map((key) => forbidding(key, context)),
      }),
    },
  ];
}

export const requiring = (keys: readonly string[], { normals }: SchemaContext): ObjectShape => ({
  ...normals.anyObject,
  named: new Map(keys.map((key) => [key, []])),
  required: new Set(keys),
});

export const forbidding = (key: string, { normals, atoms }: SchemaContext): ObjectShape => ({
  ...normals.anyObject,
  named: new Map([[key, [atoms.of(false)]]]),
});

function counts(schema: SchemaObject, context: SchemaContext): Assertion[] {
  const min = countIn(context, schema, 'minProperties');
  const max = countIn(context, schema, 'maxProperties');
  const { normals } = context;
  const shape = (bounds: Partial<ObjectShape>): ObjectShape => ({
    ...normals.anyObject,
    ...bounds,
  });
  const found: Assertion[] = [];
  if (min !== undefined)
    found.push({
      keyword: 'minProperties',
      holds: () => ({ ...normals.all, objects: [shape({ min })] }),
      fails: () => ({ ...normals.nothing, objects: min === 0 ? [] : [shape({ max: min - 1 })] }),
    });
  if (max !== undefined)
    found.push({
      keyword: 'maxProperties',
      holds: () => ({ ...normals.all, objects: [shape({ max })] }),
      fails: () => ({ ...normals.nothing, objects: [shape({ min: max + 1 })] }),
    });
  return found;
}

export const unevaluated: KeywordReader = (schema, context) => {
  const keyword = ['unevaluatedProperties', 'unevaluatedItems'].find(
    (name) => schema[name] !== undefined && schema[name] !== true,
  );
  if (keyword === undefined) return [];
  throw refuse(context, schema, keyword, 'is not supported: spell out the members');
};
