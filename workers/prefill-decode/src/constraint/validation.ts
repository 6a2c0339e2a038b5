import { Ajv, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { follows, type Constraint } from '@epd/constraint';

const OPTIONS: Options = {
  strict: false,
  validateSchema: false,
  // For decimal steps: 0.3 is a multiple of 0.1.
  multipleOfPrecision: 9,
  logger: false,
};

/** Keywords that only newer drafts have. */
const NEWER = /"(prefixItems|dependentRequired|dependentSchemas|\$dynamicRef|\$defs)"/;

/**
 * Returns the validation error of an answer, or null if it is valid. It uses another library than
 * the one that enforced the constraint. Formats and patterns run as JavaScript regular expressions,
 * which may take unbounded time.
 */
export function faultOf(constraint: Constraint, text: string): string | null {
  switch (constraint.type) {
    case 'json':
      return faultOfJson(constraint.schema, text);
    case 'regex':
      return matches(constraint.pattern, text) ? null : 'the expression does not match';
    case 'choice':
      return constraint.choices.includes(text) ? null : 'it is none of the choices';
    case 'tagged':
    default: {
      const { instead, tags } = constraint;
      const isTagged = instead === undefined || tags.some(({ begin }) => text.startsWith(begin));
      return isTagged ? followedOrNot(constraint, text) : faultOf(instead, text);
    }
  }
}

function faultOfJson(schema: unknown, text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (typeof schema === 'boolean') return schema ? null : 'nothing is permitted';
  const ajv = validator(schema);
  const check = compiled(ajv, schema);
  if (check === null) return followedOrNot({ type: 'json', schema, ordered: false }, text);
  return check(value) ? null : ajv.errorsText(check.errors, { dataVar: 'answer' });
}

/** Null: ajv does not know this form of a schema; older drafts have several such forms. */
function compiled(ajv: Ajv | Ajv2020, schema: unknown): ValidateFunction | null {
  try {
    return ajv.compile(readable(schema) as object);
  } catch {
    return null;
  }
}

const followedOrNot = (constraint: Constraint, text: string): string | null =>
  follows(constraint, text) ? null : 'it does not follow the constraint';

function validator(schema: unknown): Ajv | Ajv2020 {
  const ajv = NEWER.test(JSON.stringify(schema)) ? new Ajv2020(OPTIONS) : new Ajv(OPTIONS);
  formats.default(ajv);
  // OpenAPI's formats describe how a client stores a value.
  for (const name of ['int32', 'int64', 'float', 'double', 'binary', 'password'])
    ajv.addFormat(name, true);
  return ajv;
}

function matches(pattern: string, text: string): boolean {
  return new RegExp(`^(?:${pattern})$`, 'u').test(text);
}

/** Members whose own members are schemas by name. */
const NAMED = new Set([
  'properties',
  'patternProperties',
  'definitions',
  '$defs',
  'dependencies',
  'dependentSchemas',
]);
const DATA = new Set(['const', 'enum', 'default', 'examples']);

/**
 * As ajv reads it: the fourth draft has `id`, and exclusive bounds as flags, the third `required` of
 * each member.
 */
function readable(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(readable);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === '$schema' || key === 'id') continue;
    if (key === 'required' && typeof value === 'boolean') continue;
    copy[key] = DATA.has(key) ? value : NAMED.has(key) ? byName(value) : readable(value);
  }
  exclusive(copy, 'exclusiveMinimum', 'minimum');
  exclusive(copy, 'exclusiveMaximum', 'maximum');
  return copy;
}

function byName(schemas: unknown): unknown {
  if (typeof schemas !== 'object' || schemas === null) return schemas;
  const entries = Object.entries(schemas).map(([name, schema]) => [name, readable(schema)]);
  return Object.fromEntries(entries) as unknown;
}

function exclusive(schema: Record<string, unknown>, flag: string, bound: string): void {
  if (typeof schema[flag] !== 'boolean') return;
  if (schema[flag]) {
    schema[flag] = schema[bound];
    delete schema[bound];
  } else delete schema[flag];
}
