import { ConstraintError } from '../errors.ts';
import type { ValueNode } from '../grammar/grammar.ts';
import { byteSet } from '../regex/byte-set.ts';
import type { RegexPool } from '../regex/pool.ts';
import type { Regex } from '../regex/regex.ts';
import { GrammarBuilder } from './build.ts';
import { SchemaDocument, type Schema } from './values/document.ts';
import type { ConstraintLimits } from '../limits.ts';
import { Normaliser } from './normalise.ts';

/** Blanks of a line's indentation: a model that writes nothing else comes to an end of them. */
const INDENT_MAX = 40;

/** One blank, or a line end with an indentation. */
export function blank(pool: RegexPool): Regex {
  const indent = pool.repeat(pool.bytes(byteSet([0x09, 0x09], [0x20, 0x20])), 0, INDENT_MAX);
  return pool.or(pool.empty, pool.byte(0x20), pool.concat(pool.byte(0x0a), indent));
}

/** Throws `ConstraintError` for what is no schema, and for what answers cannot be held to. */
export function compileSchema(
  pool: RegexPool,
  schema: Schema,
  ordered: boolean,
  limits: ConstraintLimits,
): ValueNode {
  const document = new SchemaDocument(schema, limits);
  const normaliser = new Normaliser(document, pool);
  const builder = new GrammarBuilder(normaliser, pool, { blank: blank(pool), ordered });
  return builder.build(normaliser.atoms.of(schema));
}

export function refuseLarge(schema: unknown, limits: ConstraintLimits): void {
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > limits.bytes)
    throw new ConstraintError('too_large', `has ${bytes} bytes, at most ${limits.bytes} are taken`);
}
