import type { ImageTimings, JobStatus, TokenLogprob } from './job.ts';

/** Stages in the order in which a job may pass them; the image stages come once per image. */
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

/** What a job's stream holds. `seq` counts from 1 without gaps and is given by the store. */
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
      /** What the reader may see now; a part of a character or of a stop string is held back. */
      readonly text: string;
      readonly logprobs?: readonly TokenLogprob[];
    }
  | { readonly type: 'end'; readonly status: JobStatus };

export type SequencedEvent = JobEvent & { readonly seq: number };
