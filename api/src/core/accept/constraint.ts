import {
  checkConstraint,
  ConstraintError,
  type Constraint,
  type ConstraintLimits,
} from '@epd/constraint';
import { ApiError } from '../../http/errors.ts';
import type { FormatBody, ResponseFormat } from './format-schema.ts';

/** A constraint, and the field in which the caller wrote it. */
interface Asked {
  readonly field: string;
  readonly constraint: Constraint | null;
}

/**
 * What the answer is to be held to; undefined: nothing. Throws `ApiError` for what no worker can hold it
 * to.
 */
export function constraintOf(body: FormatBody, limits: ConstraintLimits): Constraint | undefined {
  const asked = [...openAI(body), ...guided(body), ...structured(body)];
  const [first, second] = asked;
  if (second) {
    const message = `${second.field}: expected alone, got ${first?.field} beside it`;
    throw new ApiError('invalid_value', message, { param: second.field });
  }
  if (first === undefined || first.constraint === null) return undefined;
  refuseUnholdable(first.constraint, first.field, limits);
  return first.constraint;
}

function openAI({ response_format: format }: FormatBody): Asked[] {
  if (format === undefined) return [];
  return [{ field: 'response_format', constraint: ofFormat(format) }];
}

const ANY_OBJECT = { type: 'object' };

function ofFormat(format: ResponseFormat): Constraint | null {
  switch (format.type) {
    case 'text':
      return null;
    case 'json_object':
      return { type: 'json', schema: ANY_OBJECT, ordered: false };
    case 'json_schema':
    default: {
      const { schema = ANY_OBJECT, strict } = format.json_schema;
      return { type: 'json', schema, ordered: strict === true };
    }
  }
}

function guided(body: FormatBody): Asked[] {
  const { guided_json: json, guided_regex: pattern, guided_choice: choices } = body;
  return [
    ...(json === undefined ? [] : [ofSchema('guided_json', json)]),
    ...(pattern === undefined ? [] : [ofPattern('guided_regex', pattern)]),
    ...(choices === undefined ? [] : [ofChoices('guided_choice', choices)]),
  ];
}

function structured({ structured_outputs: outputs }: FormatBody): Asked[] {
  if (outputs === undefined) return [];
  const { json, regex, choice, json_object: object } = outputs;
  if (outputs.grammar !== undefined) throw unsupported('structured_outputs.grammar');
  if (outputs.structural_tag !== undefined) throw unsupported('structured_outputs.structural_tag');
  return [
    ...(json === undefined ? [] : [ofSchema('structured_outputs.json', json)]),
    ...(regex === undefined ? [] : [ofPattern('structured_outputs.regex', regex)]),
    ...(choice === undefined ? [] : [ofChoices('structured_outputs.choice', choice)]),
    ...(object === true ? [ofSchema('structured_outputs.json_object', ANY_OBJECT)] : []),
  ];
}

const ofPattern = (field: string, pattern: string): Asked => ({
  field,
  constraint: { type: 'regex', pattern },
});

const ofChoices = (field: string, choices: string[]): Asked => ({
  field,
  constraint: { type: 'choice', choices },
});

function ofSchema(field: string, json: unknown): Asked {
  const schema = typeof json === 'string' ? parsed(field, json) : json;
  return { field, constraint: { type: 'json', schema, ordered: false } };
}

function parsed(field: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const message = `${field}: expected a JSON schema or its JSON text, got ${text.slice(0, 80)}`;
    throw new ApiError('invalid_value', message, { param: field });
  }
}

/** Throws `ApiError`, which names the field, for what no worker can hold an answer to. */
export function refuseUnholdable(
  constraint: Constraint,
  field: string,
  limits: ConstraintLimits,
): void {
  try {
    checkConstraint(constraint, limits);
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    const code = error.code === 'unsupported' ? 'unsupported_parameter' : 'invalid_value';
    throw new ApiError(code, `${field}: ${told(error)}`, { param: field });
  }
}

/** A schema's error: the keyword, its path, and the reason. */
function told({ keyword, path, message }: ConstraintError): string {
  const place = keyword === null ? path : `${path}/${keyword}`;
  return place === '' ? `the constraint: ${message}` : `${place}: ${message}`;
}

const unsupported = (field: string): ApiError =>
  new ApiError('unsupported_parameter', `${field} is not supported by this server`, {
    param: field,
  });
