import type { EmbeddingDtype } from '@epd/connector';
import type { Sampling } from '@epd/jobs';
import type { MaskConnection } from '../constraint/mask-messages.ts';
import type { GraphKind } from '../decoder/decoder-graph.ts';
import type { KVAbilities } from '../decoder/kv-backend.ts';
import type { KVShape } from '../decoder/kv-shape.ts';

/** Messages between the main thread and the runner: ids, numbers and shared memory. */

export interface RunnerOptions {
  readonly decoderPath: string;
  readonly embedTokensPath: string;
  /** Folder for rewritten graphs. */
  readonly cacheFolder: string;
  readonly executionProviders: readonly string[];
  /** Threads of one run of the decoder. */
  readonly threads: number;
  /** Threads that wait for a step's next operator do not sleep. */
  readonly threadsSpin: boolean;
  /** For tests: the number of the step that hangs, counted from 1; 0: none. */
  readonly hangAtStep: number;
}

/** Facts about the model that the runner learned while loading it. */
export interface RunnerFacts {
  readonly kind: GraphKind;
  readonly kv: KVShape;
  readonly abilities: KVAbilities;
  readonly hiddenSize: number;
  /** Elements of an image row: the hidden state, and the deepstack features for later layers. */
  readonly embeddingWidth: number;
  /** Why the graph runs as exported, or how far the rewritten one deviates from it. */
  readonly preparation: string;
  readonly rewritten: boolean;
  /**
   * Difference between a prompt computed whole and in chunks, the last of one token, as a share of
   * the largest logit.
   */
  readonly chunkDifference: number;
  readonly loadMs: number;
}

/** Changes of the KV cache, carried out in order before the runs of a step. */
export type KVOperation =
  | {
      readonly op: 'layout';
      readonly slots: number;
      readonly length: number;
      readonly lengths: readonly number[];
    }
  | {
      readonly op: 'swap';
      readonly a: number;
      readonly lengthA: number;
      readonly b: number;
      readonly lengthB: number;
    }
  | {
      readonly op: 'save';
      readonly slot: number;
      readonly from: number;
      readonly blocks: readonly number[];
    }
  | {
      readonly op: 'restore';
      readonly slot: number;
      readonly blocks: readonly number[];
      readonly tokens: number;
    }
  | { readonly op: 'drop'; readonly blocks: readonly number[] };

/** Rows `from ..` of an image's embedding for the tokens `at ..` of a chunk. */
export interface Gather {
  readonly mmHash: string;
  readonly from: number;
  readonly at: number;
  readonly count: number;
}

/** The new tokens of one sequence. */
export interface StepRow {
  readonly sequence: number;
  /** `sampled`: the last token sampled for it, which the sender does not know yet. */
  readonly tokens: readonly number[] | 'sampled';
  /** Tokens in its slot. */
  readonly past: number;
  /** [3, count], where positions are in a grid; null: the tokens count from `past`. */
  readonly positions: Int32Array | null;
  readonly images: readonly Gather[];
  /**
   * Guesses of the tokens that follow, computed in the same run. One of them is kept if it is the
   * token sampled in its place, and so are those before it.
   */
  readonly drafts: readonly number[];
  /** True when the next token is sampled after these tokens. */
  readonly sample: boolean;
}

/** One run of the decoder over slots `slot ..`; null for an idle slot in between. */
export interface StepRun {
  readonly slot: number;
  readonly rows: readonly (StepRow | null)[];
}

/** A sequence to sample from. Its tokens are sent once, for the penalties. */
export interface OpenSequence {
  readonly sequence: number;
  readonly choice: number;
  readonly sampling: Sampling;
  readonly prompt: readonly number[];
  /** Tokens that end the answer. */
  readonly endIds: readonly number[];
  /** Tokens that an earlier worker generated. */
  readonly generated: readonly number[];
}

export interface Step {
  readonly operations: readonly KVOperation[];
  readonly open: readonly OpenSequence[];
  readonly close: readonly number[];
  readonly runs: readonly StepRun[];
}

export interface Sampled {
  readonly sequence: number;
  readonly id: number;
  readonly logprob?: number;
  /** The likeliest tokens and their log probabilities, best first. */
  readonly top?: readonly (readonly [id: number, logprob: number])[];
  /** The answer's constraint is complete: nothing may follow. */
  readonly done?: true;
}

/** A sequence that cannot be sampled from any more; the others of the step are unaffected. */
export interface SamplingFailure {
  readonly sequence: number;
  readonly code: string;
  readonly message: string;
}

export interface StepResult {
  /**
   * In order: of a row with drafts one more than were kept, or none where its drafts overflowed
   * and nothing of the row is stored.
   */
  readonly samples: readonly Sampled[];
  readonly failures: readonly SamplingFailure[];
  /** Time of each run, including sampling. */
  readonly runsMs: readonly number[];
}

/** An image's embedding in shared memory, row-major [rows, width]. */
export interface SharedEmbedding {
  readonly mmHash: string;
  readonly rows: number;
  readonly width: number;
  readonly dtype: EmbeddingDtype;
  readonly data: Uint8Array<SharedArrayBuffer>;
}

export type ToRunner =
  | { readonly type: 'step'; readonly step: Step }
  | { readonly type: 'embedding'; readonly embedding: SharedEmbedding }
  | { readonly type: 'forget'; readonly mmHash: string }
  | { readonly type: 'masks'; readonly connection: MaskConnection }
  | { readonly type: 'close' };

export type FromRunner =
  | { readonly type: 'ready'; readonly facts: RunnerFacts }
  | { readonly type: 'stepped'; readonly result: StepResult }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'closed' };
