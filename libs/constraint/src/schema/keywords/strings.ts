import { ConstraintError } from '../../errors.ts';
import { searching } from '../../pattern/build.ts';
import type { Regex } from '../../regex/regex.ts';
import {
  countIn,
  refuse,
  type Assertion,
  type KeywordReader,
  type SchemaContext,
} from '../values/context.ts';
import type { SchemaObject } from '../values/document.ts';
import { ANNOTATED_FORMATS, FORMATS } from '../values/formats.ts';

/** `minLength`, `maxLength`, `pattern` and `format` */
export const strings: KeywordReader = (schema, context) => {
  const found = [
    ['minLength', lengths(schema, context)],
    ['pattern', pattern(schema, context)],
    ['format', format(schema, context)],
  ] as const;
  return found.flatMap(([keyword, regex]) =>
    regex ? [stringAssertion(keyword, regex, context)] : [],
  );
};

function stringAssertion(
  keyword: string,
  regex: () => Regex,
  { normals, scalars }: SchemaContext,
): Assertion {
  return {
    keyword,
    holds: () => ({ ...normals.all, strings: regex() }),
    fails: () => ({ ...normals.nothing, strings: scalars.notString(regex()) }),
  };
}

function lengths(schema: SchemaObject, context: SchemaContext): (() => Regex) | null {
  const min = countIn(context, schema, 'minLength');
  const max = countIn(context, schema, 'maxLength');
  if (min === undefined && max === undefined) return null;
  const most = max ?? Number.POSITIVE_INFINITY;
  const { scalars } = context;
  return () =>
    min !== undefined && min > most ? scalars.pool.none : scalars.lengths(min ?? 0, most);
}

function pattern(schema: SchemaObject, context: SchemaContext): (() => Regex) | null {
  const source = schema['pattern'];
  if (source === undefined) return null;
  if (typeof source !== 'string')
    throw refuse(context, schema, 'pattern', 'expected a string', 'invalid');
  return () => patternIn(schema, 'pattern', source, context);
}

/** Strings in which the pattern is found. Errors name the keyword and its place. */
export function patternIn(
  schema: SchemaObject,
  keyword: string,
  source: string,
  context: SchemaContext,
): Regex {
  try {
    return searching(context.scalars.pool, context.scalars.form, source);
  } catch (error) {
    if (!(error instanceof ConstraintError) || error.code === 'too_large') throw error;
    throw refuse(context, schema, keyword, error.message, error.code);
  }
}

function format(schema: SchemaObject, context: SchemaContext): (() => Regex) | null {
  const name = schema['format'];
  if (name === undefined) return null;
  if (typeof name !== 'string')
    throw refuse(context, schema, 'format', 'expected a string', 'invalid');
  if (ANNOTATED_FORMATS.has(name)) return null;
  const source = FORMATS.get(name);
  if (source === undefined) {
    const known = [...FORMATS.keys()].join(', ');
    throw refuse(context, schema, 'format', `${JSON.stringify(name)} is not among ${known}`);
  }
  return () => patternIn(schema, 'format', source, context);
}
