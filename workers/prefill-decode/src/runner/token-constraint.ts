import type { OpenSequence } from './messages.ts';
import { SamplingError } from './sampling-error.ts';

/** A token mask: bit `id % 32` of word `id >> 5` is set when token `id` may come next. */
export type TokenMask = Uint32Array;

/**
 * The constraint of one answer. Its state depends only on the accepted tokens, so that a worker
 * that resumes the answer can replay them and continue identically.
 *
 * open → (accept)* → done. Once done, the mask permits only end tokens.
 */
export interface TokenConstraint {
  /**
   * The tokens that may come next; null: any. May block the runner's thread for a bounded time
   * while another thread computes the mask. Throws `ConstraintError` when there is no mask.
   */
  mask(): TokenMask | null;
  /**
   * Accepts the token that was chosen, or that an earlier worker emitted. Throws `ConstraintError`.
   */
  accept(id: number): void;
  readonly done: boolean;
  /** Releases the state: the answer is no longer sampled. */
  close(): void;
}

/**
 * Creates the constraint of a sequence before its first token; null: free text. Throws
 * `ConstraintError`.
 */
export type ConstraintFactory = (open: OpenSequence) => TokenConstraint | null;

/** For a runner without a constraint engine: every answer is free text. */
export const unconstrained: ConstraintFactory = () => null;

/** An answer can no longer satisfy its constraint: its request fails, the others continue. */
export class ConstraintError extends SamplingError {
  override readonly name = 'ConstraintError';
}

/**
 * Masks the forbidden tokens in the logits, in place. Throws when no token is left: an end token that
 * `min_tokens` forbids counts as masked.
 */
export function applyMask(logits: Float32Array, mask: TokenMask): void {
  let left = false;
  for (let id = 0; id < logits.length; id++) {
    if ((((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 0) logits[id] = -Infinity;
    else if (logits[id] !== -Infinity) left = true;
  }
  if (!left) throw new ConstraintError('constraint_stuck', 'The constraint permits no next token');
}
