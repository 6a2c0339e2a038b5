import { compile } from './compile.ts';
import type { Constraint } from './constraint.ts';
import { DEFAULT_LIMITS, type ConstraintLimits } from './limits.ts';
import { RegexPool } from './regex/pool.ts';

/**
 * Compiles the constraint without a vocabulary, in a bounded number of steps. What passes can be held to
 * by every worker with the same limits. Throws `ConstraintError`.
 */
export function checkConstraint(
  constraint: Constraint,
  limits: ConstraintLimits = DEFAULT_LIMITS,
): void {
  compile(new RegexPool(), constraint, limits);
}
