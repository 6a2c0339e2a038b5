import type { Constraint } from './constraint.ts';
import { ConstraintError } from './errors.ts';
import { Frames } from './grammar/frames.ts';
import { JsonFrames } from './grammar/json-frames.ts';
import type { Position } from './grammar/position.ts';
import { TaggedFrames } from './grammar/tagged-frames.ts';
import type { ConstraintLimits } from './limits.ts';
import { matching } from './pattern/build.ts';
import { isLive } from './regex/emptiness.ts';
import type { RegexPool } from './regex/pool.ts';
import type { Regex } from './regex/regex.ts';
import { plainText } from './regex/texts.ts';
import { blank, compileSchema, refuseLarge } from './schema/compile-schema.ts';
import type { Schema } from './schema/values/document.ts';

export interface Compiled {
  readonly frames: Frames;
  readonly start: readonly Position[];
}

/** The positions at which an answer begins. Throws `ConstraintError` for what cannot be held to. */
export function compile(
  pool: RegexPool,
  constraint: Constraint,
  limits: ConstraintLimits,
): Compiled {
  refuseLarge(constraint, limits);
  pool.budget = limits.work;
  const frames = new Frames(pool);
  return { frames, start: startOf(frames, constraint, limits) };
}

function startOf(
  frames: Frames,
  constraint: Constraint,
  limits: ConstraintLimits,
): readonly Position[] {
  const { pool, end } = frames;
  switch (constraint.type) {
    case 'json': {
      const { schema, ordered } = constraint;
      const root = compileSchema(pool, schema as Schema, ordered, limits);
      return new JsonFrames(frames, blank(pool)).value(root, end);
    }
    case 'regex':
      return frames.open(
        satisfiable(pool, matching(pool, plainText(pool), constraint.pattern)),
        end,
      );
    case 'choice':
      return frames.open(pool.or(...constraint.choices.map((text) => pool.text(text))), end);
    case 'tagged':
    default: {
      const json = new JsonFrames(frames, blank(pool));
      const values = constraint.tags.map(({ schema }) =>
        compileSchema(pool, schema as Schema, false, limits),
      );
      const tagged = new TaggedFrames(frames, json, constraint, values, plainText(pool));
      const { instead } = constraint;
      if (instead === undefined) return tagged.between(0);
      const other = compileSchema(pool, instead.schema as Schema, instead.ordered, limits);
      return [...json.value(other, end), ...tagged.first()];
    }
  }
}

function satisfiable(pool: RegexPool, regex: Regex): Regex {
  if (isLive(pool, regex)) return regex;
  throw new ConstraintError('unsatisfiable', 'no text matches the expression');
}
