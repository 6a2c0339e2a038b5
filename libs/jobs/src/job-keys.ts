/** Every Redis key and channel of the durable job. Lifetimes are in docs/redis-keys.md. */
export interface JobKeys {
  record(id: string): string;
  events(id: string): string;
  /** Ids of a tenant's jobs by time of acceptance. */
  index(tenant: string): string;
  /** Ids of jobs that are not terminal, by time of acceptance. */
  readonly live: string;
  /** Ids by next deadline. */
  readonly deadlines: string;
  /** `tenant id` of terminal jobs by the expiry time of their record. */
  readonly retained: string;
  /** Ids of ended jobs whose webhook was not sent yet, by time. */
  readonly webhooks: string;
  /** Count of endings by status. */
  readonly totals: string;
  /** The cost of jobs that have not ended; see admission-scripts.ts. */
  readonly admission: string;
  idempotency(tenant: string, keySha256: string): string;
  /** Channel on which a job's events are published. */
  channel(id: string): string;
  /** Channel on which the ids of ended jobs are published. */
  readonly ended: string;
  /** Channel on which the ids of ended jobs with a webhook are published. */
  readonly webhookDue: string;
  /** Mark: a process puts the job's webhook on its queue. */
  webhookMover(id: string): string;
}

export function jobKeys(prefix: string): JobKeys {
  return {
    record: (id) => `${prefix}:job:${id}`,
    events: (id) => `${prefix}:job:${id}:events`,
    index: (tenant) => `${prefix}:jobs:index:${tenant}`,
    live: `${prefix}:jobs:live`,
    deadlines: `${prefix}:jobs:deadlines`,
    retained: `${prefix}:jobs:retained`,
    webhooks: `${prefix}:jobs:webhooks`,
    totals: `${prefix}:jobs:totals`,
    admission: `${prefix}:admission`,
    idempotency: (tenant, keySha256) => `${prefix}:idempotency:${tenant}:${keySha256}`,
    channel: (id) => `${prefix}:channel:job:${id}`,
    ended: `${prefix}:channel:ended`,
    webhookDue: `${prefix}:channel:webhook-due`,
    webhookMover: (id) => `${prefix}:job:${id}:webhook`,
  };
}
