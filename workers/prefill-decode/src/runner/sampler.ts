import { argmax, largest, logSumExp } from './log-probabilities.ts';
import type { OpenSequence, Sampled } from './messages.ts';
import { Penalties } from './penalties.ts';
import { uniformAt } from './random.ts';
import { notFinite, type SamplingError } from './sampling-error.ts';
import { TokenBias } from './token-bias.ts';
import {
  applyMask,
  ConstraintError,
  unconstrained,
  type ConstraintFactory,
  type TokenConstraint,
  type TokenMask,
} from './token-constraint.ts';
import { weigh } from './truncation.ts';

/**
 * Chooses the tokens of one sequence. The choice depends only on the logits, the sampling
 * parameters, the tokens so far, the position and the constraint. Log probabilities are the
 * model's, before penalties, constraint and temperature.
 */
export class Sampler {
  readonly #open: OpenSequence;
  readonly #penalties: Penalties;
  readonly #bias: TokenBias;
  readonly #constraint: TokenConstraint | null = null;
  #position: number;
  #last: number | null = null;
  /** Why sampling failed. */
  #failed: SamplingError | null = null;

  constructor(open: OpenSequence, constraints: ConstraintFactory = unconstrained) {
    this.#open = open;
    this.#penalties = new Penalties(open);
    this.#bias = new TokenBias(open);
    this.#position = open.generated.length;
    try {
      this.#constraint = constraints(open);
      for (const id of open.generated) this.#constraint?.accept(id);
    } catch (error) {
      // Nobody else's: the others of the step are opened, too.
      this.#failed = constraintError(error);
    }
  }

  /**
   * The last chosen token. After a failure it is arbitrary: the next step may have been sent
   * already.
   */
  get last(): number {
    if (this.#failed) return 0;
    if (this.#last === null) throw new RangeError(`Nothing was sampled for ${this.#open.sequence}`);
    return this.#last;
  }

  /** `logits` are of one position, [vocabulary]; modified in place. Throws `ConstraintError`. */
  next(logits: Float32Array): Sampled {
    // One that is no number comes of a hidden state that is none: then all are.
    if (Number.isNaN(logits[0])) this.fail(notFinite());
    if (this.#failed) throw this.#failed;
    const { sequence, sampling } = this.#open;
    const raw = sampling.topLogprobs === null ? null : logits.slice();
    const id = this.#constrained(logits);
    this.#last = id;
    this.#penalties.add(id);
    this.#position++;
    const sampled: Sampled = this.#constraint?.done
      ? { sequence, id, done: true }
      : { sequence, id };
    return raw ? { ...sampled, ...logprobsOf(raw, id, sampling.topLogprobs ?? 0) } : sampled;
  }

  /** Something else than sampling went wrong with the sequence: nothing is sampled for it any more. */
  fail(error: SamplingError): void {
    this.#failed ??= error;
  }

  close(): void {
    this.#constraint?.close();
  }

  #constrained(logits: Float32Array): number {
    if (this.#constraint === null) return this.#choose(logits, null);
    try {
      const id = this.#choose(logits, this.#constraint.mask());
      this.#constraint.accept(id);
      return id;
    } catch (error) {
      this.#failed = constraintError(error);
      throw this.#failed;
    }
  }

  #choose(logits: Float32Array, mask: TokenMask | null): number {
    const { sampling, choice } = this.#open;
    this.#bias.apply(logits, this.#position);
    if (this.#penalties.active) this.#penalties.apply(logits);
    if (mask !== null) applyMask(logits, mask);
    if (sampling.temperature === 0) return argmax(logits);
    const total = weigh(logits, sampling);
    return pick(logits, total * uniformAt(sampling.seed, choice, this.#position));
  }
}

/**
 * The token at which the running sum passes `target`, in order of id, so that near-ties keep their
 * order.
 */
function pick(weights: Float32Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (let id = 0; id < weights.length; id++) {
    const weight = weights[id] as number;
    if (weight === 0) continue;
    last = id;
    sum += weight;
    if (sum > target) return id;
  }
  return last;
}

function logprobsOf(
  logits: Float32Array,
  id: number,
  count: number,
): Pick<Sampled, 'logprob' | 'top'> {
  const norm = logSumExp(logits);
  const of = (token: number): number => (logits[token] as number) - norm;
  return {
    logprob: of(id),
    top: largest(logits, count).map((token) => [token, of(token)] as const),
  };
}

function constraintError(cause: unknown): ConstraintError {
  if (cause instanceof ConstraintError) return cause;
  return new ConstraintError('constraint_failed', `The constraint failed: ${String(cause)}`, {
    cause,
  });
}
