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

/** A request to the engine. */
export interface EngineRequest {
  readonly id: string;
  /** The prompt, with the placeholder tokens of its images. */
  readonly tokens: readonly number[];
  /** In order of offset; spans do not overlap. One image may have several spans. */
  readonly features: readonly MultiModalFeature[];
  /** Null or absent: every token's position is its index. */
  readonly positions?: PromptPositions | null;
  readonly sampling: Sampling;
  /** Tokens that were emitted before, per choice: generation resumes after them. */
  readonly resume?: readonly (readonly number[])[];
  /** Creates the parser of an answer, by its number; default: its text is not parsed. */
  readonly parser?: (choice: number) => OutputParser;
  /** Lower runs first; default 0. */
  readonly priority?: number;
  /** Requests of one scope share cached prefixes; default: the empty one. */
  readonly scope?: string;
  /** How long it was queued before it came here; its times include that. Default 0. */
  readonly waitedMs?: number;
}

/** How an image of a request got into the KV cache. */
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
      /**
       * Text that these tokens release; a possible part of a character or stop string is held back.
       */
      readonly text: string;
      readonly deltas?: readonly OutputDelta[];
      readonly logprobs?: readonly TokenLogprob[];
    }
  | {
      readonly type: 'finished';
      readonly id: string;
      readonly choices: readonly Choice[];
      readonly usage: Pick<JobUsage, 'promptTokens' | 'completionTokens' | 'cachedTokens'>;
      /**
       * Since the request was submitted (`waitedMs`); absent for stages that a resumed request
       * skipped.
       */
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
  /** Sequences, with or without a slot, that wait for an image. */
  readonly waitingForEmbeddings: number;
  readonly slots: number;
  readonly slotsUsed: number;
  /** Memory of slots and cached prefix blocks. */
  readonly kvBytes: number;
  /** Part of `kvBytes` in cached prefix blocks. */
  readonly cachedPrefixBytes: number;
  /** Current capacity of each slot, in tokens. */
  readonly bucket: number;
  /** Rows of the last decode run that held sequences. */
  readonly batchOccupancy: number;
  /** Prompt tokens found in the prefix cache since the start. */
  readonly prefixHitTokens: number;
  readonly preemptions: number;
  /** Tokens that were drafted since the start, and those of them that answers kept. */
  readonly drafts: { readonly computed: number; readonly kept: number };
  readonly steps: number;
  /** False: the decoder's graph runs as exported. */
  readonly graphRewritten: boolean;
}
