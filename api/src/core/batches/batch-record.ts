export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

export type BatchEndpoint = '/v1/chat/completions' | '/v1/responses';

export interface BatchProblem {
  readonly code: string;
  readonly line: number | null;
  readonly message: string;
  readonly param: string | null;
}

/** The request; never changes. */
export interface BatchRequest {
  readonly id: string;
  readonly tenant: string;
  readonly endpoint: BatchEndpoint;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  /** As requested; absent from batches of earlier versions. */
  readonly completionWindow?: string;
  readonly expiresAtMs: number;
}

/** A batch as it stands. `atMs` holds when each state was entered. */
export interface Batch extends BatchRequest {
  readonly status: BatchStatus;
  readonly atMs: Readonly<Partial<Record<BatchStatus, number>>>;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  readonly problems: readonly BatchProblem[];
}

export const TERMINAL: readonly BatchStatus[] = ['failed', 'completed', 'expired', 'cancelled'];

export const isTerminal = ({ status }: Batch): boolean => TERMINAL.includes(status);

/** What became of one line: the line of the output file, or of the error file. */
export interface LineResult {
  readonly ok: boolean;
  readonly line: string;
}
