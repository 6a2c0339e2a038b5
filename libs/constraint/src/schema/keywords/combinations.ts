import type { Atom } from '../values/atom.ts';
import {
  asSchema,
  isObject,
  refuse,
  schemasIn,
  stringsIn,
  subschema,
  type Assertion,
  type KeywordReader,
  type SchemaContext,
} from '../values/context.ts';
import type { Schema, SchemaObject } from '../values/document.ts';
import type { Normal } from '../values/normal.ts';
import { forbidding, requiring } from './objects.ts';

/** `allOf`, `anyOf`, `oneOf`, `not`, `if`, `$ref` and what depends on a member being there */
export const combinations: KeywordReader = (schema, context) => [
  ...references(schema, context),
  ...lists(schema, context),
  ...negation(schema, context),
  ...conditional(schema, context),
  ...dependencies(schema, context),
];

function references(schema: SchemaObject, context: SchemaContext): Assertion[] {
  for (const keyword of ['$dynamicRef', '$recursiveRef'])
    if (schema[keyword] !== undefined) throw refuse(context, schema, keyword, 'is not supported');
  const ref = schema['$ref'];
  if (typeof ref !== 'string') return [];
  const target = context.document.resolve(ref, context.document.pathOf(schema));
  const part = asSchema(context, schema, '$ref', target);
  return [of(context, '$ref', part)];
}

const of = ({ atoms, normalOf }: SchemaContext, keyword: string, part: Schema): Assertion => ({
  keyword,
  holds: () => normalOf(atoms.of(part)),
  fails: () => normalOf(atoms.of(part, true)),
});

function lists(schema: SchemaObject, context: SchemaContext): Assertion[] {
  const { atoms, normals, normalOf } = context;
  const found: Assertion[] = [];
  const parts = (keyword: string, negated: boolean): Normal[] =>
    schemasIn(context, schema, keyword).map((part) => normalOf(atoms.of(part, negated)));
  if (schema['allOf'] !== undefined)
    found.push({
      keyword: 'allOf',
      holds: () => normals.and(...parts('allOf', false)),
      fails: () => normals.or(...parts('allOf', true)),
    });
  if (schema['anyOf'] !== undefined)
    found.push({
      keyword: 'anyOf',
      holds: () => normals.or(...parts('anyOf', false)),
      fails: () => normals.and(...parts('anyOf', true)),
    });
  if (schema['oneOf'] !== undefined)
    found.push({ keyword: 'oneOf', holds: () => exactlyOne(schema, context) });
  return found;
}

/** Each alternative without those that it may have values in common with. */
function exactlyOne(schema: SchemaObject, context: SchemaContext): Normal {
  const { atoms, normals, normalOf } = context;
  const parts = schemasIn(context, schema, 'oneOf').map((part) => atoms.of(part));
  return normals.or(
    ...parts.map((part, at) =>
      normals.and(
        normalOf(part),
        ...parts.flatMap((other, index) =>
          index === at || context.isEmpty([part, other]) ? [] : [excluded(other, schema, context)],
        ),
      ),
    ),
  );
}

function excluded(other: Atom, schema: SchemaObject, context: SchemaContext): Normal {
  try {
    return context.normalOf(context.atoms.of(other.schema, true));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem = `alternatives that may overlap cannot be told apart: ${reason}`;
    throw refuse(context, schema, 'oneOf', problem);
  }
}

function negation(schema: SchemaObject, context: SchemaContext): Assertion[] {
  if (schema['not'] === undefined) return [];
  const part = of(context, 'not', subschema(context, schema, 'not'));
  return [{ keyword: 'not', holds: () => part.fails?.() ?? part.holds(), fails: part.holds }];
}

function conditional(schema: SchemaObject, context: SchemaContext): Assertion[] {
  if (schema['if'] === undefined) return [];
  if (schema['then'] === undefined && schema['else'] === undefined) return [];
  const { normals, normalOf, atoms } = context;
  const condition = subschema(context, schema, 'if');
  const branch = (keyword: string): Normal =>
    schema[keyword] === undefined
      ? normals.all
      : normalOf(atoms.of(subschema(context, schema, keyword)));
  const holds = (): Normal =>
    normals.or(
      normals.and(normalOf(atoms.of(condition)), branch('then')),
      normals.and(normalOf(atoms.of(condition, true)), branch('else')),
    );
  return [{ keyword: 'if', holds }];
}

function dependencies(schema: SchemaObject, context: SchemaContext): Assertion[] {
  return ['dependencies', 'dependentRequired', 'dependentSchemas'].flatMap((keyword) => {
    const value = schema[keyword];
    if (!isObject(value)) return [];
    return Object.entries(value).map(([key, needs]): Assertion => ({
      keyword,
      holds: () => dependency(key, needs, schema, keyword, context),
    }));
  });
}

/** Without the member, or with it and what it asks for. */
function dependency(
  key: string,
  needs: unknown,
  schema: SchemaObject,
  keyword: string,
  context: SchemaContext,
): Normal {
  const { normals, normalOf, atoms } = context;
  const without = { ...normals.all, objects: [forbidding(key, context)] };
  if (Array.isArray(needs)) {
    const keys = [key, ...stringsIn(context, schema, keyword, needs)];
    return normals.or(without, { ...normals.nothing, objects: [requiring(keys, context)] });
  }
  const needed = normalOf(atoms.of(asSchema(context, schema, keyword, needs)));
  const present = { ...normals.nothing, objects: [requiring([key], context)] };
  return normals.or(without, normals.and(present, needed));
}
