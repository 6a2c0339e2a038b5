import type { MultiModalFeature } from '@epd/connector';
import type { PromptPositions } from '@epd/model';
import type {
  Choice,
  ImageTimings,
  JobError,
  JobTimings,
  JobUsage,
  OutputDelta,
  Sampling,
  Stage,
  TokenLogprob,
} from '@epd/jobs';
import type { OutputParser } from '../text/output-parser.ts';

/** What the engine is asked. */
export interface EngineRequest {
  readonly id: string;
  /** The prompt, with the placeholder tokens of its images. */
  readonly tokens: readonly number[];
  /** In order of offset; spans do not overlap. One image may have several. */
  readonly features: readonly MultiModalFeature[];
  /** Null or absent: every token's position is its place. */
  readonly positions?: PromptPositions | null;
  readonly sampling: Sampling;
  /** Tokens that were emitted before, per choice: generation goes on behind them. */
  readonly resume?: readonly (readonly number[])[];
  /** Makes the parser of an answer, by its number; default: its text is not parsed. */
  readonly parser?: (choice: number) => OutputParser;
  /** Lower runs first; default 0. */
  readonly priority?: number;
  /** Requests of one scope share cached prefixes; default: the empty one. */
  readonly scope?: string;
  /** How long it had waited before it came here; its times count from then. Default 0. */
  readonly waitedMs?: number;
}

/** How an image of a request came into the KV cache. */
export type EngineImage = Pick<ImageTimings, 'mmHash' | 'loadMs' | 'tier'> & {
  readonly source: 'loaded' | 'kv_cache';
};

export type EngineStage = Extract<
  Stage,
  'prefill' | 'waiting_for_embeddings' | 'first_token' | 'loaded'
>;

export type EngineEvent =
  | {
      readonly type: 'stage';
      readonly id: string;
      readonly stage: EngineStage;
      /** Index of the feature concerned. */
      readonly item?: number;
      readonly detail?: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: 'tokens';
      readonly id: string;
      readonly choice: number;
      readonly ids: readonly number[];
      /** Text that these tokens let out; what may be part of a character or stop string waits. */
      readonly text: string;
      readonly deltas?: readonly OutputDelta[];
      readonly logprobs?: readonly TokenLogprob[];
    }
  | {
      readonly type: 'finished';
      readonly id: string;
      readonly choices: readonly Choice[];
      readonly usage: Pick<JobUsage, 'promptTokens' | 'completionTokens' | 'cachedTokens'>;
      /** Since the request was made (`waitedMs`); absent where a resumed request did not pass the point. */
      readonly timings: JobTimings;
      readonly images: readonly EngineImage[];
    }
  | { readonly type: 'failed'; readonly id: string; readonly error: JobError };

export type EngineListener = (event: EngineEvent) => void;

export interface EngineStats {
  /** Sequences without a slot. */
  readonly waiting: number;
  /** Sequences with a slot. */
  readonly running: number;
  /** Sequences, with or without a slot, that an image holds up. */
  readonly waitingForEmbeddings: number;
  readonly slots: number;
  readonly slotsUsed: number;
  /** Memory of slots and parked blocks. */
  readonly kvBytes: number;
  /** Part of `kvBytes` that parked blocks take. */
  readonly parkedBytes: number;
  /** Tokens that each slot has room for at present. */
  readonly bucket: number;
  /** Rows of the last decode run that were sequences. */
  readonly batchOccupancy: number;
  /** Prompt tokens that were found in the cache, since the start. */
  readonly prefixHitTokens: number;
  readonly preemptions: number;
  readonly steps: number;
  /** False: the decoder's graph runs as exported. */
  readonly graphRewritten: boolean;
}
