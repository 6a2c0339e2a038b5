import type { Choice, FinishReason, OutputDelta, Sampling, TokenLogprob } from '@epd/jobs';
import type { Sampled } from '../../runner/messages.ts';
import { Detokenizer, type TokenDecoder } from './detokenizer.ts';
import type { OutputParser } from './output-parser.ts';
import { OutputRecord } from './output-record.ts';
import { StopMatcher } from './stop-matcher.ts';

/** What a token adds to the answer; a reason when it is the last. */
export interface AnswerPiece {
  readonly ids: readonly number[];
  readonly text: string;
  /** What the text is; absent where nothing parses it. */
  readonly deltas?: readonly OutputDelta[];
  readonly logprobs?: readonly TokenLogprob[];
  readonly finishReason: FinishReason | null;
}

/** A token as sampled or replayed. */
type AnswerToken = Omit<Sampled, 'sequence'>;

/** One answer as its reader sees it: tokens in, text out, and the finish reason. */
export class Answer {
  readonly #sampling: Sampling;
  readonly #ends: ReadonlySet<number>;
  readonly #decoder: TokenDecoder;
  readonly #detokenizer: Detokenizer;
  readonly #stops: StopMatcher;
  readonly #parser: OutputParser | null;
  readonly #output = new OutputRecord();
  readonly #tokenIds: number[] = [];
  readonly #logprobs: TokenLogprob[] = [];
  #text = '';
  #finishReason: FinishReason | null = null;
  /** The caller's token that ended it. */
  #stopToken: number | null = null;

  /** `endIds`: the tokens that end it, see `endIdsOf`. */
  constructor(
    sampling: Sampling,
    endIds: readonly number[],
    decoder: TokenDecoder,
    parser: OutputParser | null = null,
  ) {
    this.#parser = parser;
    this.#sampling = sampling;
    this.#ends = new Set(endIds);
    this.#decoder = decoder;
    // Some models' marks are control tokens.
    this.#detokenizer = new Detokenizer(decoder, { skipSpecialTokens: parser === null });
    this.#stops = new StopMatcher(sampling.stop);
  }

  get finishReason(): FinishReason | null {
    return this.#finishReason;
  }

  get choice(): Choice {
    const logprobs = this.#sampling.topLogprobs === null ? {} : { logprobs: this.#logprobs };
    const stoppedBy = this.#stops.matched ?? this.#stopToken;
    return {
      text: this.#text,
      finishReason: this.#finishReason,
      ...(stoppedBy === null ? {} : { stoppedBy }),
      tokenIds: this.#tokenIds,
      ...(this.#parser === null ? {} : { output: this.#output.output }),
      ...logprobs,
    };
  }

  /** Processes a token. `mayContinue` is false when there is no room for another. */
  push(sampled: AnswerToken, mayContinue: boolean): AnswerPiece {
    const piece = this.#take(sampled, mayContinue);
    const parser = this.#parser;
    if (parser === null) return piece;
    const isReasoning = parser.isReasoning;
    const deltas = parser.push(piece.text);
    if (piece.finishReason !== null) deltas.push(...parser.flush());
    this.#output.add(deltas, isReasoning || parser.isReasoning);
    return { ...piece, deltas };
  }

  #take(sampled: AnswerToken, mayContinue: boolean): AnswerPiece {
    if (this.#ends.has(sampled.id)) return this.#endAt(sampled.id);
    this.#tokenIds.push(sampled.id);
    const logprobs = this.#logprobsOf(sampled);
    const { text, stopped } = this.#matched(this.#detokenizer.push(sampled.id));
    if (stopped) return this.#end('stop', [sampled.id], text, logprobs);
    if (sampled.done === true) return this.#endAfter(sampled.id, 'stop', text, logprobs);
    if (!mayContinue || this.#tokenIds.length >= this.#sampling.maxTokens) {
      return this.#endAfter(sampled.id, 'length', text, logprobs);
    }
    this.#text += text;
    return { ids: [sampled.id], text, ...logprobs, finishReason: null };
  }

  /** An end token is no part of the answer. */
  #endAt(id: number): AnswerPiece {
    if (this.#sampling.stopTokenIds?.includes(id) === true) this.#stopToken = id;
    return this.#end('stop', [], this.#flush());
  }

  /** Text before `min_tokens` is not searched for stop strings. */
  #matched(text: string): { readonly text: string; readonly stopped: boolean } {
    const early = this.#tokenIds.length < (this.#sampling.minTokens ?? 0);
    return early ? { text, stopped: false } : this.#stops.push(text);
  }

  /** Text that is released at the end may complete a stop string. */
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

/** The tokens that end an answer: the model's own unless they are ignored, and the request's. */
export const endIdsOf = (sampling: Sampling, eosTokenIds: readonly number[]): readonly number[] => [
  ...(sampling.ignoreEos ? [] : eosTokenIds),
  ...(sampling.stopTokenIds ?? []),
];

type Logprobs = { readonly logprobs?: readonly TokenLogprob[] };
