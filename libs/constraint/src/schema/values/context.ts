import { ConstraintError, type ConstraintErrorCode } from '../../errors.ts';
import type { Atom, Atoms } from './atom.ts';
import type { Schema, SchemaDocument, SchemaObject } from './document.ts';
import type { Normal, Normals } from './normal.ts';
import type { Scalars } from './scalars.ts';

/** What keywords need to say what they permit. */
export interface SchemaContext {
  readonly document: SchemaDocument;
  readonly atoms: Atoms;
  readonly scalars: Scalars;
  readonly normals: Normals;
  /** What a schema permits, or forbids when negated. */
  readonly normalOf: (atom: Atom) => Normal;
  /** No value satisfies them, as far as a look of bounded depth shows. */
  readonly isEmpty: (atoms: readonly Atom[]) => boolean;
}

/** What one keyword says, and what breaks it. */
export interface Assertion {
  readonly keyword: string;
  readonly holds: () => Normal;
  /** Absent: the opposite cannot be told token by token. */
  readonly fails?: () => Normal;
}

/** A keyword's reader: what the schema says with it; none where it says nothing. */
export type KeywordReader = (schema: SchemaObject, context: SchemaContext) => readonly Assertion[];

export function refuse(
  context: SchemaContext,
  schema: SchemaObject,
  keyword: string,
  problem: string,
  code: ConstraintErrorCode = 'unsupported',
): ConstraintError {
  const path = context.document.pathOf(schema);
  return new ConstraintError(code, problem, { path, keyword });
}

/** The member as a schema. */
export function subschema(context: SchemaContext, schema: SchemaObject, keyword: string): Schema {
  return asSchema(context, schema, keyword, schema[keyword]);
}

export function asSchema(
  context: SchemaContext,
  schema: SchemaObject,
  keyword: string,
  value: unknown,
): Schema {
  if (typeof value === 'boolean' || isObject(value)) return value;
  throw refuse(context, schema, keyword, `expected a schema, got ${shown(value)}`, 'invalid');
}

export function schemasIn(context: SchemaContext, schema: SchemaObject, keyword: string): Schema[] {
  const value = schema[keyword];
  if (Array.isArray(value) && value.length > 0)
    return value.map((part: unknown) => asSchema(context, schema, keyword, part));
  throw refuse(context, schema, keyword, `expected schemas, got ${shown(value)}`, 'invalid');
}

export function schemaMap(
  context: SchemaContext,
  schema: SchemaObject,
  keyword: string,
): [string, Schema][] {
  const value = schema[keyword];
  if (value === undefined) return [];
  if (!isObject(value))
    throw refuse(context, schema, keyword, `expected an object, got ${shown(value)}`, 'invalid');
  return Object.entries(value).map(([key, part]) => [
    key,
    asSchema(context, schema, keyword, part),
  ]);
}

export function numberIn(
  context: SchemaContext,
  schema: SchemaObject,
  keyword: string,
): number | undefined {
  const value = schema[keyword];
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw refuse(context, schema, keyword, `expected a number, got ${shown(value)}`, 'invalid');
}

export function countIn(
  context: SchemaContext,
  schema: SchemaObject,
  keyword: string,
): number | undefined {
  const value = numberIn(context, schema, keyword);
  if (value === undefined || (Number.isInteger(value) && value >= 0)) return value;
  throw refuse(context, schema, keyword, `expected a count, got ${shown(value)}`, 'invalid');
}

export function stringsIn(
  context: SchemaContext,
  schema: SchemaObject,
  keyword: string,
  value: unknown = schema[keyword],
): string[] {
  if (Array.isArray(value) && value.every((part) => typeof part === 'string')) return value;
  throw refuse(context, schema, keyword, `expected strings, got ${shown(value)}`, 'invalid');
}

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 80);
