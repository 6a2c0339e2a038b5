import { compile } from './compile.ts';
import type { Constraint } from './constraint.ts';
import { DEFAULT_LIMITS, type ConstraintLimits } from './limits.ts';
import { RegexPool } from './regex/pool.ts';

/** Whether the whole text is one that the constraint permits. Throws `ConstraintError`. */
export function follows(
  constraint: Constraint,
  text: string,
  limits: ConstraintLimits = DEFAULT_LIMITS,
): boolean {
  const pool = new RegexPool();
  const { frames, start } = compile(pool, constraint, limits);
  let state = start;
  for (const byte of Buffer.from(text)) {
    pool.budget = limits.work;
    state = frames.step(state, byte);
    if (state.length === 0) return false;
  }
  return state.includes(frames.done);
}
