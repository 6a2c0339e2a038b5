import { createHash } from 'node:crypto';
import { compile } from './compile.ts';
import type { Constraint } from './constraint.ts';
import { Machine } from './grammar/machine.ts';
import { DEFAULT_LIMITS, type ConstraintLimits } from './limits.ts';
import { Recent } from './recent.ts';
import { RegexPool } from './regex/pool.ts';
import { LexemeMasks } from './vocabulary/lexeme-masks.ts';
import type { Vocabulary } from './vocabulary/vocabulary.ts';

/** Constraints kept compiled: a fleet serves few at a time, and each comes again with every request. */
const KEPT_MAX = 128;
/** Expressions of a pool, a kilobyte each, before new constraints get a new one. */
const POOL_MAX = 100_000;

/**
 * Compiles constraints for a vocabulary and keeps them by the digest of their text. Those compiled one
 * after the other share a pool of expressions, and so the masks of what they have in common.
 */
export class ConstraintCompiler {
  readonly #vocabulary: Vocabulary;
  readonly #limits: ConstraintLimits;
  readonly #kept = new Recent<string, Machine>(KEPT_MAX);
  #masks: LexemeMasks;
  #pool = new RegexPool();

  constructor(vocabulary: Vocabulary, limits: ConstraintLimits = DEFAULT_LIMITS) {
    this.#vocabulary = vocabulary;
    this.#limits = limits;
    this.#masks = new LexemeMasks(this.#pool, vocabulary);
  }

  /** Throws `ConstraintError`. */
  compile(constraint: Constraint): Machine {
    const key = constraintDigest(constraint);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const machine = this.#make(constraint);
    this.#kept.set(key, machine);
    return machine;
  }

  #make(constraint: Constraint): Machine {
    if (this.#pool.size > POOL_MAX) this.#renew();
    try {
      const { frames, start } = compile(this.#pool, constraint, this.#limits);
      return new Machine(frames, this.#masks, start, this.#limits.work);
    } catch (error) {
      // What a refused constraint left behind must not count against the next.
      if (this.#pool.size > POOL_MAX / 2) this.#renew();
      throw error;
    }
  }

  #renew(): void {
    this.#pool = new RegexPool();
    this.#masks = new LexemeMasks(this.#pool, this.#vocabulary);
  }
}

/** Equal constraints have equal digests. */
export const constraintDigest = (constraint: Constraint): string =>
  createHash('sha256').update(JSON.stringify(constraint)).digest('base64url');
