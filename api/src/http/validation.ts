import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FastifyInstance } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { ApiError } from './errors.ts';
import { preview } from './preview.ts';
import type { Instead } from './tagged.ts';

/** The part of ajv's verbose error that a message is made from. */
export interface Violation {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly data?: unknown;
  readonly parentSchema?: object | undefined;
}

const SHARED = {
  verbose: true,
  useDefaults: false,
  allErrors: false,
  discriminator: true,
} as const;
const MAX_SHOWN_CHARACTERS = 80;

/** A schema is compiled once in a process: ajv knows it again. */
const strict = new Ajv({ ...SHARED, strict: false });
const converting = new Ajv({ ...SHARED, strict: false, coerceTypes: true });

/**
 * Bodies are checked as they came: a `"5"` is no number. What comes as text, query and path, is
 * converted first. `discriminator` makes a union's errors speak of the chosen member alone.
 */
export function installValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(({ schema, httpPart }) =>
    compiledOnUse(httpPart === 'body' ? strict : converting, schema as object),
  );
  // Schemas describe answers for the documentation and its tests; plain JSON keeps what is sent exact.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

/** The check of a route's body for bodies that come by another way. Throws what the route would. */
export function bodyChecker<S extends TSchema>(schema: S): (body: unknown) => Static<S> {
  const check = compiledOnUse(strict, schema);
  return (body) => {
    if (check(body)) return body as Static<S>;
    throw describeViolation(check.errors ?? [], 'body');
  };
}

type Check = ((data: unknown) => boolean) & { errors?: ErrorObject[] | null };

/** Compiling all routes' schemas took half of a start, and a process is asked by a few of them only. */
function compiledOnUse(ajv: Ajv, schema: object): Check {
  let compiled: ValidateFunction | null = null;
  const check: Check = (data) => {
    compiled ??= ajv.compile(schema);
    const isValid = compiled(data);
    check.errors = compiled.errors ?? null;
    return isValid;
  };
  return check;
}

/** One error out of ajv's list: where, what was expected, what came. */
export function describeViolation(violations: readonly Violation[], context: string): ApiError {
  const deepest = violations.reduce((best, next) => (depth(next) > depth(best) ? next : best));
  const siblings = violations.filter(
    (one) => one.instancePath === deepest.instancePath && !UNIONS.has(one.keyword),
  );
  const path = pathOf(deepest);
  const where = path === '' ? `the ${context}` : path;
  const expected = [...new Set((siblings.length > 0 ? siblings : [deepest]).map(expectation))].join(
    ' or ',
  );
  const instead = insteadOf(deepest);
  const isUnsupported = deepest.keyword === 'additionalProperties' || instead !== '';
  return new ApiError(
    isUnsupported ? 'unsupported_parameter' : 'invalid_value',
    `${where}: expected ${expected}, got ${show(deepest)}${instead}`,
    path === '' ? {} : { param: path },
  );
}

/** These only say that no member fits; what each member expects stands beside them. */
const UNIONS = new Set(['anyOf', 'oneOf']);

const depth = ({ keyword, instancePath }: Violation): number =>
  UNIONS.has(keyword) ? -1 : instancePath.split('/').length;

function pathOf(violation: Violation): string {
  const segments = violation.instancePath.split('/').slice(1);
  const { missingProperty, additionalProperty, tag } = violation.params;
  const named = missingProperty ?? additionalProperty ?? tag;
  if (typeof named === 'string') segments.push(named.slice(0, MAX_SHOWN_CHARACTERS));
  return segments.reduce(
    (path, segment) =>
      /^\d+$/.test(segment) ? `${path}[${segment}]` : path === '' ? segment : `${path}.${segment}`,
    '',
  );
}

function expectation({ keyword, params, message, parentSchema }: Violation): string {
  switch (keyword) {
    case 'type':
      return String(params['type']);
    case 'enum':
      return `one of ${JSON.stringify(params['allowedValues'])}`;
    case 'const':
      return JSON.stringify(params['allowedValue']);
    case 'required':
      return 'a value';
    case 'additionalProperties':
      return 'no such parameter';
    case 'discriminator':
      return `one of ${JSON.stringify(tagsOf(parentSchema, String(params['tag'])))}`;
    default:
      return (message ?? keyword).replace(/^must (be|have|NOT have|match) ?/, (_, verb: string) =>
        verb === 'be' ? '' : `to ${verb.replace('NOT', 'not')} `,
      );
  }
}

function show({ keyword, data, params }: Violation): string {
  if (keyword === 'required') return 'nothing';
  if (keyword === 'additionalProperties') return preview(params['additionalProperty']);
  if (keyword === 'discriminator') return preview(params['tagValue']);
  return preview(data);
}

/** What does in place of a tag that is known and has no member: `; …`. */
function insteadOf({ keyword, params, parentSchema }: Violation): string {
  if (keyword !== 'discriminator') return '';
  const { 'x-instead': known = {} } = (parentSchema ?? {}) as { 'x-instead'?: Instead };
  const tag = String(params['tagValue']);
  return Object.hasOwn(known, tag) ? `; ${known[tag]}` : '';
}

/** The values that tell the members of a union apart. */
function tagsOf(schema: object | undefined, tag: string): unknown[] {
  const { oneOf: members = [] } = (schema ?? {}) as {
    oneOf?: readonly { properties?: Record<string, { const?: unknown }> }[];
  };
  return members.map(({ properties }) => properties?.[tag]?.const);
}
