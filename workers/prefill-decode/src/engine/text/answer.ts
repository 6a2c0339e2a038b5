import type { Choice, FinishReason, Sampling, TokenLogprob } from '@epd/jobs';
import type { Sampled } from '../../runner/messages.ts';
import { Detokenizer, type TokenDecoder } from './detokenizer.ts';
import { StopMatcher } from './stop-matcher.ts';

/** What a token adds to the answer; a reason when it is the last. */
export interface AnswerPiece {
  readonly ids: readonly number[];
  readonly text: string;
  readonly logprobs?: readonly TokenLogprob[];
  readonly finishReason: FinishReason | null;
}

/** A token as it was sampled, or as it is replayed. */
type AnswerToken = Omit<Sampled, 'sequence'>;

/** One answer as its reader sees it: tokens in, text out, and the decision that it is over. */
export class Answer {
  readonly #sampling: Sampling;
  readonly #eos: ReadonlySet<number>;
  readonly #decoder: TokenDecoder;
  readonly #detokenizer: Detokenizer;
  readonly #stops: StopMatcher;
  readonly #tokenIds: number[] = [];
  readonly #logprobs: TokenLogprob[] = [];
  #text = '';
  #finishReason: FinishReason | null = null;

  constructor(sampling: Sampling, eosTokenIds: readonly number[], decoder: TokenDecoder) {
    this.#sampling = sampling;
    this.#eos = new Set(sampling.ignoreEos ? [] : eosTokenIds);
    this.#decoder = decoder;
    this.#detokenizer = new Detokenizer(decoder);
    this.#stops = new StopMatcher(sampling.stop);
  }

  get finishReason(): FinishReason | null {
    return this.#finishReason;
  }

  get choice(): Choice {
    const logprobs = this.#sampling.topLogprobs === null ? {} : { logprobs: this.#logprobs };
    return {
      text: this.#text,
      finishReason: this.#finishReason,
      tokenIds: this.#tokenIds,
      ...logprobs,
    };
  }

  /** Takes a token. `mayGoOn` is false when no further one has room. */
  push(sampled: AnswerToken, mayGoOn: boolean): AnswerPiece {
    if (this.#eos.has(sampled.id)) return this.#end('stop', [], this.#flush());
    this.#tokenIds.push(sampled.id);
    const logprobs = this.#logprobsOf(sampled);
    const { text, stopped } = this.#stops.push(this.#detokenizer.push(sampled.id));
    if (stopped) return this.#end('stop', [sampled.id], text, logprobs);
    if (sampled.done === true) return this.#endAfter(sampled.id, 'stop', text, logprobs);
    if (!mayGoOn || this.#tokenIds.length >= this.#sampling.maxTokens) {
      return this.#endAfter(sampled.id, 'length', text, logprobs);
    }
    this.#text += text;
    return { ids: [sampled.id], text, ...logprobs, finishReason: null };
  }

  /** What is let out at the end may complete a stop string. */
  #endAfter(id: number, reason: FinishReason, text: string, logprobs: Logprobs): AnswerPiece {
    const last = this.#stops.push(this.#detokenizer.flush());
    const rest = last.stopped ? last.text : last.text + this.#stops.flush();
    return this.#end(last.stopped ? 'stop' : reason, [id], text + rest, logprobs);
  }

  #flush(): string {
    const last = this.#stops.push(this.#detokenizer.flush());
    return last.stopped ? last.text : last.text + this.#stops.flush();
  }

  #end(reason: FinishReason, ids: number[], text: string, logprobs: Logprobs = {}): AnswerPiece {
    this.#text += text;
    this.#finishReason = reason;
    return { ids, text, ...logprobs, finishReason: reason };
  }

  #logprobsOf({ id, logprob, top }: AnswerToken): Logprobs {
    if (logprob === undefined) return {};
    const named = (token: number, value: number) => ({
      id: token,
      token: this.#decoder.decode([token], { skipSpecialTokens: false }),
      logprob: value,
    });
    const entry = {
      ...named(id, logprob),
      top: (top ?? []).map(([token, value]) => named(token, value)),
    };
    this.#logprobs.push(entry);
    return { logprobs: [entry] };
  }
}

type Logprobs = { readonly logprobs?: readonly TokenLogprob[] };
