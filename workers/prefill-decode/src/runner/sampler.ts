import { argmax, largest, logSumExp } from './log-probabilities.ts';
import type { OpenSequence, Sampled } from './messages.ts';
import { Penalties } from './penalties.ts';
import { uniformAt } from './random.ts';
import { weigh } from './truncation.ts';

/**
 * Chooses the tokens of one sequence. The choice depends on the logits, the sampling parameters, the
 * tokens so far and the position, and on nothing else. Log probabilities are the model's own, before
 * penalties and temperature.
 */
export class Sampler {
  readonly #open: OpenSequence;
  readonly #penalties: Penalties;
  #position: number;
  #last: number | null = null;

  constructor(open: OpenSequence) {
    this.#open = open;
    this.#penalties = new Penalties(open);
    this.#position = open.generated.length;
  }

  /** The token that was chosen last. */
  get last(): number {
    if (this.#last === null) throw new RangeError(`Nothing was sampled for ${this.#open.sequence}`);
    return this.#last;
  }

  /** `logits` are of one position, [vocabulary]; they are changed. */
  next(logits: Float32Array): Sampled {
    const { sequence, sampling } = this.#open;
    const raw = sampling.topLogprobs === null ? null : logits.slice();
    const id = this.#choose(logits);
    this.#last = id;
    this.#penalties.add(id);
    this.#position++;
    return raw
      ? { sequence, id, ...logprobsOf(raw, id, sampling.topLogprobs ?? 0) }
      : { sequence, id };
  }

  #choose(logits: Float32Array): number {
    const { sampling, choice } = this.#open;
    if (this.#penalties.active) this.#penalties.apply(logits);
    if (sampling.temperature === 0) return argmax(logits);
    const total = weigh(logits, sampling);
    return pick(logits, total * uniformAt(sampling.seed, choice, this.#position));
  }
}

/** The token at which the running sum passes `target`, in order of id: near-ties cannot trade places. */
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
