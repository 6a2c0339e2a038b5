import type { Job } from '@epd/jobs';

/**
 * What the API alone wants to remember of a request. It travels in the job's request, where workers
 * pass over it, so that any replica can show the job in the shape in which it was asked for.
 */
export interface ApiNotes {
  /** How long acceptance took, picture fetches included. */
  readonly acceptMs: number;
  /** By which kind of route it came. */
  readonly kind: 'job' | 'chat' | 'completion' | 'response';
  readonly response?: ResponseNotes;
}

/** What of a `POST /v1/responses` is not in the job itself, and shown with its response. */
export interface ResponseNotes {
  /** Stands before this turn's messages, and is not handed on to the next turn. */
  readonly instructions: string | null;
  readonly previousResponseId: string | null;
  readonly background: boolean;
  readonly store: boolean;
  readonly format: Readonly<Record<string, unknown>>;
  readonly maxOutputTokens: number | null;
  /** As asked for; absent: `auto`. */
  readonly toolChoice?: unknown;
  readonly reasoningEffort?: string | null;
  /** Reasoning items carry what they need to be sent again by themselves. */
  readonly sealsReasoning?: boolean;
}

const NONE: ApiNotes = { acceptMs: 0, kind: 'job' };

export const notesOf = (job: Job): ApiNotes => (job.request as { api?: ApiNotes }).api ?? NONE;
