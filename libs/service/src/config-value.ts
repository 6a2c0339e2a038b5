import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';

type Scalar = string | number | boolean;

/** The part of JSON Schema that a variable's schema may use. */
export interface VariableSchema extends TSchema {
  readonly type?: string;
  readonly const?: Scalar;
  readonly enum?: readonly Scalar[];
  readonly anyOf?: readonly VariableSchema[];
  readonly items?: VariableSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  /** What a value must be, if its type and limits do not express it well. */
  readonly expects?: string;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const BOOLEANS = new Map([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
]);

/** The typed value of a string, or undefined when the schema does not accept it. */
export function parseValue(schema: VariableSchema, text: string): unknown {
  const value = convert(schema, text);
  return value !== undefined && Value.Check(schema, value) ? value : undefined;
}

function convert(schema: VariableSchema, text: string): unknown {
  if (schema.anyOf) return firstOf(schema.anyOf, text);
  if (schema.enum) return schema.enum.find((option) => String(option) === text);
  if (schema.const !== undefined) return String(schema.const) === text ? schema.const : undefined;
  switch (schema.type ?? 'string') {
    case 'integer':
    case 'number':
      return NUMBER.test(text) ? Number(text) : undefined;
    case 'boolean':
      return BOOLEANS.get(text.toLowerCase());
    case 'array':
      return list(schema.items ?? {}, text);
    default:
      return text;
  }
}

function firstOf(schemas: readonly VariableSchema[], text: string): unknown {
  for (const schema of schemas) {
    const value = parseValue(schema, text);
    if (value !== undefined) return value;
  }
  return undefined;
}

function list(items: VariableSchema, text: string): unknown[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const values = parts.filter(Boolean).map((part) => parseValue(items, part));
  return values.includes(undefined) ? undefined : values;
}

/** What a value must be, in words: "an integer from 1 to 65535". */
export function expectation(schema: VariableSchema): string {
  if (schema.expects) return schema.expects;
  if (schema.anyOf) return schema.anyOf.map(expectation).join(' or ');
  if (schema.enum) return schema.enum.map((option) => JSON.stringify(option)).join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'integer') return `an integer${bounds(schema)}`;
  if (schema.type === 'number') return `a number${bounds(schema)}`;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'array')
    return `a list with commas, each ${expectation(schema.items ?? {})}${size(schema)}`;
  return `a text${length(schema)}`;
}

function bounds(schema: VariableSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const parts = [
    minimum === undefined ? '' : ` of at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`,
    maximum === undefined ? '' : ` of at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : ` below ${exclusiveMaximum}`,
  ];
  return parts.filter(Boolean).join(' and');
}

function length({ pattern, minLength, maxLength }: VariableSchema): string {
  const parts = [
    minLength === undefined ? '' : ` of at least ${minLength} characters`,
    maxLength === undefined ? '' : ` of at most ${maxLength} characters`,
    pattern === undefined ? '' : ` that matches ${pattern}`,
  ];
  return parts.filter(Boolean).join(' and');
}

function size({ minItems, maxItems }: VariableSchema): string {
  const least = minItems === undefined ? '' : `, at least ${minItems}`;
  return maxItems === undefined ? least : `${least}, at most ${maxItems}`;
}
