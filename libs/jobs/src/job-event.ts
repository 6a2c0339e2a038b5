import type { ImageTimings, JobStatus, TokenLogprob } from './job.ts';

/** Stages in the order in which a job may pass them; the image stages occur once per image. */
export type Stage =
  | 'queued'
  | 'waiting_for_encoder'
  | 'encoding'
  | 'stored'
  | 'loaded'
  | 'prefill'
  | 'waiting_for_embeddings'
  | 'first_token'
  | 'resumed';

/** A typed piece of an answer, from an output parser. */
export type OutputDelta =
  | { readonly type: 'content' | 'reasoning'; readonly text: string }
  | {
      readonly type: 'tool_call';
      /** Which of the answer's calls, from 0. */
      readonly index: number;
      /** With the first delta of a call. */
      readonly id?: string;
      readonly name?: string;
      /** The next piece of its arguments, JSON in text. */
      readonly arguments: string;
    };

/** The entries of a job's stream. `seq` counts from 1 without gaps; the store assigns it. */
export type JobEvent =
  | {
      readonly type: 'stage';
      readonly stage: Stage;
      /** Milliseconds since the job was accepted. */
      readonly ms: number;
      /** Index of the image concerned. */
      readonly item?: number;
      readonly detail?: Partial<ImageTimings> & Record<string, unknown>;
    }
  | {
      readonly type: 'tokens';
      /** Which of the `n` answers. */
      readonly choice: number;
      readonly ids: readonly number[];
      /** Text that the reader may see now; an incomplete character or stop string is held back. */
      readonly text: string;
      /**
       * The typed pieces of the text, if the model's output is parsed; absent: all of it is
       * content.
       */
      readonly deltas?: readonly OutputDelta[];
      readonly logprobs?: readonly TokenLogprob[];
    }
  | { readonly type: 'end'; readonly status: JobStatus };

export type SequencedEvent = JobEvent & { readonly seq: number };
