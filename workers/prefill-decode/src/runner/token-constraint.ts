import type { OpenSequence } from './messages.ts';

/** A token mask: bit `id % 32` of word `id >> 5` is set when token `id` may come next. */
export type TokenMask = Uint32Array;

/**
 * What one answer is held to. Its state follows from the accepted tokens alone, so that a worker that
 * resumes the answer replays them and goes on the same.
 *
 * open → (accept)* → done. Once done, the mask holds nothing but end tokens.
 */
export interface TokenConstraint {
  /**
   * Which tokens may come next; null: any. May block the runner's thread for a bounded time, when the
   * mask is made in another. Throws `ConstraintError` when it cannot be told.
   */
  mask(): TokenMask | null;
  /** Takes the token that was chosen, or that an earlier worker emitted. Throws `ConstraintError`. */
  accept(id: number): void;
  readonly done: boolean;
  /** Nothing is sampled for the answer any more. */
  close(): void;
}

/** Makes the constraint of a sequence before its first token; null: free text. Throws `ConstraintError`. */
export type ConstraintFactory = (open: OpenSequence) => TokenConstraint | null;

/** Without a constraint engine: every answer is free text. */
export const unconstrained: ConstraintFactory = () => null;

/** An answer can no longer be held to its constraint: its request ends, the others go on. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError';
  /** Stable: it becomes the job's error code. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Takes the forbidden tokens out of the logits, in place. Throws when nothing is left: also what is allowed may
 * have been taken out before, as an end token is that comes too early.
 */
export function applyMask(logits: Float32Array, mask: TokenMask): void {
  let left = false;
  for (let id = 0; id < logits.length; id++) {
    if ((((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 0) logits[id] = -Infinity;
    else if (logits[id] !== -Infinity) left = true;
  }
  if (!left) throw new ConstraintError('constraint_stuck', 'No token may come next');
}
