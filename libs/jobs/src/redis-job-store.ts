import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { JobCost } from './admission.ts';
import { AppendBatch } from './append-batch.ts';
import { GenerateQueues, scoreBehind } from './generate-queues.ts';
import { JobChannel } from './job-channel.ts';
import { decodeJob, fieldsOf } from './job-codec.ts';
import { RecordError } from './errors.ts';
import { decodeEvents } from './job-event-codec.ts';
import type { JobEvent, SequencedEvent, Stage } from './job-event.ts';
import { jobKeys, type JobKeys } from './job-keys.ts';
import {
  withJobScripts,
  type CreateArguments,
  type FinishArguments,
  type JobScripts,
} from './job-scripts.ts';
import { listJobs } from './list-jobs.ts';
import { RECORD_VERSION, recordFields, requestJson, writtenJob } from './new-record.ts';
import type {
  Claim,
  CreateResult,
  EarlierUse,
  Idempotency,
  JobStore,
  ListOptions,
  NewJob,
  StageNote,
} from './job-store.ts';
import type { Ending, Job } from './job.ts';
import { writable, writeNumber } from './written-events.ts';

export interface JobStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** How long a record is kept after its ending. */
  readonly retentionMs?: number;
  /** Maximum time that an idempotency key is remembered; it does not outlive its job's record. */
  readonly idempotencyMs?: number;
  /** Called for each record that a list omits. */
  readonly onUnreadable?: (error: RecordError) => void;
}

const FREE: JobCost = { tokens: 0, most: { total: 0, tenant: 0 } };

const HOUR_MS = 3_600_000;
/** An hour is long enough to poll for an answer after a weekend's worth of retries in a client. */
const DEFAULT_RETENTION_MS = HOUR_MS;
/** Clients retry for minutes; a day covers one that restarts overnight, where records are kept as long. */
const DEFAULT_IDEMPOTENCY_MS = 24 * HOUR_MS;

/**
 * `JobStore` on Redis. The record's hash is the single source of truth; every change is one Lua
 * script that does not touch a terminal record, so the second of two endings changes nothing.
 */
export class RedisJobStore implements JobStore {
  readonly #redis: JobScripts;
  readonly #keys: JobKeys;
  readonly #queues: GenerateQueues;
  readonly #appends: AppendBatch;
  readonly #channel: JobChannel;
  readonly #retentionMs: number;
  readonly #idempotencyMs: number;
  readonly #onUnreadable: (error: RecordError) => void;

  constructor(options: JobStoreOptions) {
    this.#redis = withJobScripts(options.redis);
    this.#keys = jobKeys(options.prefix);
    this.#appends = new AppendBatch(this.#redis, this.#keys);
    this.#queues = new GenerateQueues(options.redis, options.prefix);
    this.#channel = new JobChannel(options.redis, this.#keys);
    this.#retentionMs = options.retentionMs ?? DEFAULT_RETENTION_MS;
    this.#idempotencyMs = options.idempotencyMs ?? DEFAULT_IDEMPOTENCY_MS;
    this.#onUnreadable = options.onUnreadable ?? (() => undefined);
  }

  create(job: NewJob, recorded?: () => Promise<void>): Promise<CreateResult> {
    return this.#create(job, '', recorded);
  }

  async earlier(tenant: string, { key, bodySha256 }: Idempotency): Promise<EarlierUse | null> {
    const use = await this.#redis.get(this.#keys.idempotency(tenant, sha256(key)));
    return use === null ? null : this.#earlier(use, bodySha256);
  }

  async get(id: string): Promise<Job | null> {
    const fields = await this.#redis.hgetall(this.#keys.record(id));
    return fields['status'] === undefined ? null : decodeJob(id, fields);
  }

  tenantOf(id: string): Promise<string | null> {
    return this.#redis.hget(this.#keys.record(id), 'tenant');
  }

  list(options: ListOptions): Promise<{ jobs: Job[]; hasMore: boolean }> {
    return listJobs(this.#redis, this.#keys, options, this.#onUnreadable);
  }

  async claim(id: string, worker: string, revision = ''): Promise<Claim | null> {
    const record = this.#keys.record(id);
    const args = [worker, RECORD_VERSION, writeNumber(), revision];
    const reply = await this.#redis.jobClaim(1, record, ...args);
    const [fence, handedBack, atMs, flat, earlier, gaveItBack] = reply;
    if (fence < 0) throw new RecordError(id, 'it is of another version', true);
    if (fence === 0) return null;
    const fields = fieldsOf(flat);
    const job = decodeJob(id, fields);
    const acceptedAt = performance.now() - Math.max(0, atMs - job.createdAtMs);
    const waitedMs = Number(fields['waitedMs'] ?? 0);
    const emitted = fence === 1 ? [] : await this.events(id, 0);
    const losses = fence - 1 - handedBack;
    const boundTo = fields['revision'] ?? null;
    const before = earlier === '' ? null : { worker: earlier, handedBack: gaveItBack === 1 };
    return { job, fence, acceptedAt, waitedMs, emitted, losses, before, handedBack, boundTo };
  }

  async handBack(id: string, fence: number): Promise<void> {
    await this.#redis.jobHandBack(1, this.#keys.record(id), fence);
  }

  append(id: string, fence: number, events: readonly JobEvent[]): Promise<boolean> {
    return this.#appends.add(id, fence, events);
  }

  async note(id: string, note: StageNote): Promise<void> {
    const detail = note.detail ?? {};
    const event = JSON.stringify({ type: 'stage', stage: note.stage, detail });
    const keys = [this.#keys.record(id), this.#keys.events(id), this.#keys.channel(id)];
    const body = JSON.stringify({ noted: true, ...detail });
    const args = [note.stage, note.mmHash ?? '', event, body, writeNumber()];
    await this.#redis.jobNote(3, ...keys, ...args);
  }

  async finish(
    id: string,
    ending: Ending,
    fence?: number,
    unwritten: readonly JobEvent[] = [],
  ): Promise<boolean> {
    const k = this.#keys;
    const keys = [k.record(id), k.events(id), k.channel(id), k.ended, k.live, k.deadlines];
    const [stage, begun, json] = writable([...unwritten, { type: 'end', status: ending.status }]);
    const done = await this.#redis.jobFinish(
      11,
      ...keys,
      k.retained,
      k.webhooks,
      k.totals,
      k.webhookDue,
      k.admission,
      JSON.stringify({
        id,
        ...(fence !== undefined && { fence }),
        status: ending.status,
        ending: JSON.stringify(ending),
        retentionMs: this.#retentionMs,
        write: writeNumber(),
        stage,
        begun,
      } satisfies FinishArguments),
      ...json,
    );
    return done === 1;
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#redis.jobRemove(2, this.#keys.record(id), this.#keys.events(id))) === 1;
  }

  async forget({ id, tenant }: Pick<Job, 'id' | 'tenant'>): Promise<void> {
    const k = this.#keys;
    await this.#redis.jobRemove(4, k.record(id), k.events(id), k.index(tenant), k.retained, id);
  }

  async events(id: string, afterSeq: number): Promise<SequencedEvent[]> {
    const entries = await this.#redis.xrange(this.#keys.events(id), `(${afterSeq}-0`, '+');
    return decodeEvents(entries);
  }

  subscribe(id: string, listener: (event: SequencedEvent) => void): Promise<() => Promise<void>> {
    return this.#channel.onEvent(id, listener);
  }

  onEnded(listener: (id: string) => void): Promise<() => Promise<void>> {
    return this.#channel.onEnded(listener);
  }

  onWebhookDue(listener: (id: string) => void): Promise<() => Promise<void>> {
    return this.#channel.onWebhookDue(listener);
  }

  async close(): Promise<void> {
    await this.#channel.close();
    await this.#queues.close();
  }

  /**
   * Writes the record first, then the generate job: a worker that finds no record drops the job.
   * `forgotten`: the earlier use of the idempotency key, if its job no longer exists.
   */
  async #create(
    job: NewJob,
    forgotten: string,
    recorded?: () => Promise<void>,
  ): Promise<CreateResult> {
    const sentAtMs = Date.now();
    const written = await this.#write(job, sentAtMs, forgotten);
    if (written[0] === 'refused') {
      return { outcome: 'refused', excess: { bound: written[1], waiting: written[2] } };
    }
    if (written[0] === 'earlier') {
      // A record that is gone stays gone: the key or id is free again.
      const earlier = await this.#earlier(written[1], job.idempotency?.bodySha256);
      return earlier ?? this.#create(job, written[1], recorded);
    }
    const [, createdAtMs, ahead] = written;
    await Promise.all([this.#queues.add({ ...job, createdAtMs }), recorded?.()]);
    return { outcome: 'created', job: writtenJob(job, createdAtMs, createdAtMs - sentAtMs), ahead };
  }

  #write(job: NewJob, sentAtMs: number, forgotten: string): ReturnType<JobScripts['jobCreate']> {
    const { request, idempotency } = job;
    const k = this.#keys;
    const queued = { type: 'stage', stage: 'queued' satisfies Stage, ms: 0 };
    return this.#redis.jobCreate(
      8,
      k.record(job.id),
      k.events(job.id),
      k.index(job.tenant),
      k.live,
      k.deadlines,
      k.idempotency(job.tenant, idempotency === undefined ? '' : sha256(idempotency.key)),
      this.#queues.waitingKey(request.model),
      k.admission,
      JSON.stringify(this.#createArguments(job, sentAtMs, forgotten)),
      requestJson(job),
      JSON.stringify(queued),
    );
  }

  #createArguments(job: NewJob, sentAtMs: number, forgotten: string): CreateArguments {
    const { id, tenant, request, idempotency, cost = FREE } = job;
    return {
      id,
      tenant,
      model: request.model,
      cost: cost.tokens,
      most: cost.most,
      behind: scoreBehind(request.priority, sentAtMs),
      sentAtMs,
      ...(request.startByMs !== null && { startByMs: request.startByMs }),
      ...(request.endByMs !== null && { endByMs: request.endByMs }),
      write: writeNumber(),
      ...(idempotency !== undefined && {
        idempotency: { use: `${id} ${idempotency.bodySha256}`, ttlMs: this.#idempotencyMs },
      }),
      forgotten,
      fields: recordFields(job),
    };
  }

  /** `use` is `<id> <bodySha256>` of the job that used the key first, or the id alone when that was used. */
  async #earlier(use: string, bodySha256: string | undefined): Promise<EarlierUse | null> {
    const [id, firstSha256] = use.split(' ');
    const first = await this.get(id ?? '');
    if (first === null) return null;
    if (firstSha256 !== undefined && firstSha256 !== bodySha256) return { outcome: 'conflict' };
    // The first attempt may have failed between the record and the queue.
    if (first.ending === null) await this.#queues.add(first);
    return { outcome: 'repeated', job: first };
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
