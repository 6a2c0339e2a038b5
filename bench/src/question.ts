/** An image file, and the same bytes as a client would send them: made before anything is timed. */
export interface Picture {
  readonly path: string;
  readonly dataUri: string;
}

export type Part = { readonly text: string } | { readonly image: Picture };

/** One user message to be answered greedily. */
export interface Question {
  readonly parts: readonly Part[];
  readonly maxTokens: number;
  /** True: answer `maxTokens` tokens, whatever the model would like. */
  readonly ignoreEos: boolean;
}

/** An answer as its reader saw it. Times are milliseconds on this process's clock. */
export interface Answer {
  readonly submittedMs: number;
  /** When tokens arrived; several in one message share a time. */
  readonly tokenMs: readonly number[];
  readonly endedMs: number;
  readonly tokenIds: readonly number[];
  /** Under which the fleet keeps a record of it. */
  readonly jobId?: string;
}

/** Something that answers questions, as many at once as it is given. */
export interface Target {
  readonly name: 'fleet' | 'peer';
  /** Rejects when the answer does not come to its proper end. */
  ask(question: Question): Promise<Answer>;
}
