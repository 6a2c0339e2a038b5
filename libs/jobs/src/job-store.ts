import type { Excess, JobCost } from './admission.ts';
import type { Ending, Job, JobRequest, JobStatus } from './job.ts';
import type { JobEvent, SequencedEvent, Stage } from './job-event.ts';

export interface Idempotency {
  readonly key: string;
  readonly bodySha256: string;
}

export interface NewJob {
  readonly id: string;
  readonly tenant: string;
  readonly request: JobRequest;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly idempotency?: Idempotency;
  readonly webhook?: { readonly url: string; readonly events: readonly string[] };
  /** Its cost until it ends. @default none: it is always admitted */
  readonly cost?: JobCost;
}

export type EarlierUse =
  /** The idempotency key was used before with the same body, or the id was used before. */
  | { readonly outcome: 'repeated'; readonly job: Job }
  /** The idempotency key was used before with another body, for a job whose record still exists. */
  | { readonly outcome: 'conflict' };

export type CreateResult =
  /** `ahead`: jobs ahead of it in the same queue. */
  | { readonly outcome: 'created'; readonly job: Job; readonly ahead: number }
  | EarlierUse
  /** It would exceed a bound: nothing was written. */
  | { readonly outcome: 'refused'; readonly excess: Excess };

/** The right to write to a job. A later claim makes it void: writes under it are refused. */
export interface Claim {
  readonly job: Job;
  readonly fence: number;
  /**
   * When the job was accepted: measured by the server's clock, expressed in `performance.now()` of
   * this process.
   */
  readonly acceptedAt: number;
  /**
   * How long no worker held it, by the server's clock; the time after a lost worker is unknown and
   * not included.
   */
  readonly waitedMs: number;
  /** Events that earlier claimants emitted, in order. */
  readonly emitted: readonly SequencedEvent[];
  /** Earlier claims that were lost: the worker neither ended the job nor released it. */
  readonly losses: number;
  /** Earlier claims that were released. */
  readonly handedBack: number;
  /**
   * The model revision that produced the emitted tokens; only that one can resume. Null: any
   * revision may start.
   */
  readonly boundTo: string | null;
  /** The previous claim: its worker, and whether it was released or lost. Null: there was none. */
  readonly before: { readonly worker: string; readonly handedBack: boolean } | null;
}

export interface ListOptions {
  readonly tenant: string;
  readonly limit: number;
  /** Id after which the page starts: a job of this tenant, also one that was removed since. */
  readonly after?: string;
  readonly order: 'asc' | 'desc';
  readonly status?: JobStatus;
}

/**
 * A note from an encoder to a job. The store adds the time, and the image's index from its
 * `mmHash`.
 */
export interface StageNote {
  readonly stage: Stage;
  readonly mmHash?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * The durable job: a record and a stream in Redis that any replica can read. Each method is atomic.
 */
export interface JobStore {
  /**
   * Admits the job, writes its record and `queued` event, then its generate job: accepted when it resolves.
   * `recorded` is called for a new job once its record is durable, and awaited with the generate job.
   */
  create(job: NewJob, recorded?: () => Promise<void>): Promise<CreateResult>;
  /** The job that an idempotency key was used for; null: none, or none that still exists. */
  earlier(tenant: string, idempotency: Idempotency): Promise<EarlierUse | null>;
  get(id: string): Promise<Job | null>;
  /** The tenant whose job it is, without reading the rest; null: there is no such job. */
  tenantOf(id: string): Promise<string | null>;
  /** Omits jobs whose record cannot be read. Throws `PlaceError` when `after` is unknown. */
  list(options: ListOptions): Promise<{ jobs: Job[]; hasMore: boolean }>;
  /**
   * A worker that serves a model `revision` claims the job. Null when it is terminal or gone. Voids
   * earlier claims. Throws `RecordError`, and changes nothing, when the record is of a version that
   * this process does not know.
   */
  claim(id: string, worker: string, revision?: string): Promise<Claim | null>;
  /**
   * The worker releases its claim while alive: the claim is no loss, even if others have claimed
   * the job since.
   */
  handBack(id: string, fence: number): Promise<void>;
  /**
   * Adds events under a claim. False: the claim is void or the job is terminal; the worker must
   * stop.
   */
  append(id: string, fence: number, events: readonly JobEvent[]): Promise<boolean>;
  /** Adds a stage event from someone who holds no claim (an encoder). Ignored on a terminal job. */
  note(id: string, note: StageNote): Promise<void>;
  /**
   * The only terminal transition. False: another caller was first. Without a fence: regardless of
   * who holds the job. `unwritten` are the claim's last events, which come with it.
   */
  finish(
    id: string,
    ending: Ending,
    fence?: number,
    unwritten?: readonly JobEvent[],
  ): Promise<boolean>;
  /**
   * Removes a terminal job's record and stream; lists can still continue from its place. False when
   * not terminal.
   */
  remove(id: string): Promise<boolean>;
  /**
   * Removes a job that no client should find. It keeps no place in lists, which would otherwise
   * grow.
   */
  forget(job: Pick<Job, 'id' | 'tenant'>): Promise<void>;
  /** Events after `seq` (0: all). */
  events(id: string, afterSeq: number): Promise<SequencedEvent[]>;
  /** Calls back with events as anyone adds them; may repeat, never reorders. */
  subscribe(id: string, listener: (event: SequencedEvent) => void): Promise<() => Promise<void>>;
  /** Calls back with the ids of ended jobs, whoever ended them, so that workers drop them. */
  onEnded(listener: (id: string) => void): Promise<() => Promise<void>>;
  /**
   * Calls back with the ids of ended jobs with a webhook, as they are added to the list of due
   * webhooks.
   */
  onWebhookDue(listener: (id: string) => void): Promise<() => Promise<void>>;
}
