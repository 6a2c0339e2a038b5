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
  /** What it counts for until it ends. @default nothing: it is admitted in any case */
  readonly cost?: JobCost;
}

export type EarlierUse =
  /** The idempotency key was used before, with the same body, or the id was. */
  | { readonly outcome: 'repeated'; readonly job: Job }
  /** The idempotency key was used before, with another body, for a job whose record is kept. */
  | { readonly outcome: 'conflict' };

export type CreateResult =
  /** `ahead`: jobs that wait in the same queue and go first. */
  | { readonly outcome: 'created'; readonly job: Job; readonly ahead: number }
  | EarlierUse
  /** It would exceed a bound: nothing was written. */
  | { readonly outcome: 'refused'; readonly excess: Excess };

/** The right to write to a job. A later claim makes it void: writes under it are refused. */
export interface Claim {
  readonly job: Job;
  readonly fence: number;
  /** When the job was accepted, told by the server's clock and given in `performance.now()` of this process. */
  readonly acceptedAt: number;
  /** How long no worker had it, by the server's clock; after a worker that was lost nothing is known. */
  readonly waitedMs: number;
  /** What earlier claimants have emitted, in order. */
  readonly emitted: readonly SequencedEvent[];
  /** Earlier claims whose workers neither ended the job nor handed it back. */
  readonly losses: number;
  /** Earlier claims that were handed back. */
  readonly handedBack: number;
  /** The model revision that emitted tokens are of, which alone can go on; null: any may begin. */
  readonly boundTo: string | null;
  /** The claim before this one: whose it was, and whether it was handed back or lost. Null: there was none. */
  readonly before: { readonly worker: string; readonly handedBack: boolean } | null;
}

export interface ListOptions {
  readonly tenant: string;
  readonly limit: number;
  /** Id after which the page begins: of a job of this tenant, also of one that was removed since. */
  readonly after?: string;
  readonly order: 'asc' | 'desc';
  readonly status?: JobStatus;
}

/** What an encoder tells a job. The store adds the time, and the image's index from its `mmHash`. */
export interface StageNote {
  readonly stage: Stage;
  readonly mmHash?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The durable job: a record and a stream in Redis, any replica's to read. Each method is atomic. */
export interface JobStore {
  /** Admits the job, writes its record and `queued` event, then its generate job: accepted when it resolves. */
  create(job: NewJob): Promise<CreateResult>;
  /** What an idempotency key was used for; null: nothing, or nothing that is kept. */
  earlier(tenant: string, idempotency: Idempotency): Promise<EarlierUse | null>;
  get(id: string): Promise<Job | null>;
  /** Without the jobs whose record cannot be read. Throws `PlaceError` when `after` is not known. */
  list(options: ListOptions): Promise<{ jobs: Job[]; hasMore: boolean }>;
  /**
   * A worker, of a model `revision`, takes the job up. Null when it is terminal or gone. Voids earlier claims. Throws
   * `RecordError`, and changes nothing, when the record is of a version that this process does not know.
   */
  claim(id: string, worker: string, revision?: string): Promise<Claim | null>;
  /** The worker gives the job back, alive: its claim is no loss, also if others have claimed the job since. */
  handBack(id: string, fence: number): Promise<void>;
  /** Adds events under a claim. False: the claim is void or the job terminal; stop. */
  append(id: string, fence: number, events: readonly JobEvent[]): Promise<boolean>;
  /** Adds a stage event from someone who holds no claim (an encoder). Ignored on a terminal job. */
  note(id: string, note: StageNote): Promise<void>;
  /**
   * The one terminal transition. False: somebody was first. Without a fence: whoever holds the job.
   * `unwritten` are the claim's last events, which come with it.
   */
  finish(
    id: string,
    ending: Ending,
    fence?: number,
    unwritten?: readonly JobEvent[],
  ): Promise<boolean>;
  /** Removes a terminal job's record and stream; lists go on from its place. False when not terminal. */
  remove(id: string): Promise<boolean>;
  /** The same of one that nobody was to find: it keeps no place in lists, which would grow long by such. */
  forget(job: Pick<Job, 'id' | 'tenant'>): Promise<void>;
  /** Events after `seq` (0: all). */
  events(id: string, afterSeq: number): Promise<SequencedEvent[]>;
  /** Calls back with events as they are added by anyone; may repeat, never reorders. */
  subscribe(id: string, listener: (event: SequencedEvent) => void): Promise<() => Promise<void>>;
  /** Calls back with the ids of jobs that have ended, whoever ended them: workers drop what they hold. */
  onEnded(listener: (id: string) => void): Promise<() => Promise<void>>;
  /** Calls back with the ids of ended jobs that have a webhook, as they come onto the list of those. */
  onWebhookDue(listener: (id: string) => void): Promise<() => Promise<void>>;
}
