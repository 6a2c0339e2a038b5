import { randomUUID } from 'node:crypto';
import type { ModelCard } from '@epd/fleet';
import type { Job, JobRequest, JobStore, NewJob } from '@epd/jobs';
import { startSpan, type Logger } from '@epd/service';
import { ApiError } from '../../http/errors.ts';
import type { Gatekeeper } from '../limits/gatekeeper.ts';
import { jobCost } from './job-cost.ts';
import type { JobCounts } from '../metrics/api-metrics.ts';
import type { ModelDirectory } from '../models/model-directory.ts';
import { earlierJob, keyConflict } from './earlier-job.ts';
import type { ImageEncodes } from './image-encodes.ts';
import type { ImageResolver } from './image-resolver.ts';
import { findImages, toJobMessages } from './image-sources.ts';
import { checkContext, priceImage } from './price-images.ts';
import { toSampling } from './sampling.ts';
import { toRequest, type Submission } from './submission.ts';
import { resolveImages } from './resolve-images.ts';

export interface Accepted {
  readonly job: Job;
  /** The same request came before, by its key or its id, and this is its job. */
  readonly repeated: boolean;
  /** Of a new job: how many wait for the same model and go first. */
  readonly ahead?: number;
}

interface Creation {
  readonly id: string;
  readonly submission: Submission;
  readonly request: JobRequest;
  /** Of one whose admission is still on its way. */
  readonly reservation: NewJob['reservation'] | undefined;
}

interface AcceptorParts {
  readonly jobs: JobStore;
  readonly models: ModelDirectory;
  readonly resolver: ImageResolver;
  readonly encodes: ImageEncodes;
  readonly gatekeeper: Gatekeeper;
  readonly counts: Pick<JobCounts, 'accepted'>;
  readonly log?: Pick<Logger, 'info'>;
  readonly limits: { readonly maxImages: number; readonly defaultMaxTokens: number };
}

/** Turns a submission into a durable job: the first two steps of a request's life. */
export class Acceptor {
  readonly #parts: AcceptorParts;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
  }

  /** Resolves when the job is durable. Throws `ApiError`; then nothing is left waiting. */
  async accept(submission: Submission): Promise<Accepted> {
    const span = startSpan('accept job', { parent: submission.traceparent });
    try {
      const traceparent = span.traceparent ?? submission.traceparent;
      const accepted = await this.#accept({ ...submission, traceparent });
      span.set({ 'job.id': accepted.job.id });
      span.end();
      return accepted;
    } catch (error) {
      span.end({ error });
      throw error;
    }
  }

  async #accept(submission: Submission): Promise<Accepted> {
    const earlier = await earlierJob(this.#parts.jobs, submission);
    if (earlier !== null) return { job: earlier, repeated: true };
    const card = await this.#parts.models.resolve(submission.model);
    const { images, messages, imageTokens } = await this.#takeIn(submission, card);
    const { defaultMaxTokens } = this.#parts.limits;
    const { contextLength } = card;
    const sampling = toSampling(submission.sampling, { defaultMaxTokens, contextLength });
    const id = submission.id ?? newJobId();
    const cost = jobCost(submission.messages, imageTokens, sampling);
    const { admitted, reservation } = await this.#admit(id, submission, cost, images.length > 0);
    try {
      const context = { waiter: id, card, ...submission };
      const found = await this.#parts.encodes.join(images, context);
      const request = toRequest(submission, card, { messages, images: found, sampling });
      const created = await this.#create({ id, submission, request, reservation });
      if (created === null) throw await refusalOf(admitted, id);
      if (!created.repeated) this.#note(created.job, submission.requestId);
      // The job is durable now: should this fail, the worker that waits for the image asks again. A repetition
      // may have been the first to ask for what the job waits for.
      await this.#parts.encodes.begin(found, context).catch(() => undefined);
      if (created.repeated) await this.#release(images, id);
      return created;
    } catch (error) {
      if (!isRefusal(error)) await this.#release(images, id);
      throw error;
    }
  }

  /**
   * Of a job whose admission is `careful`, and where many are refused, nothing is done before it is let
   * in. Any other is written at once, if its reservation is there by then.
   */
  async #admit(id: string, { tenant }: Submission, cost: number, careful: boolean) {
    const { gatekeeper } = this.#parts;
    await gatekeeper.takeTokens(tenant, cost);
    const admitted = gatekeeper.admit(id, tenant, cost);
    // A job that was written had its reservation, whatever became of the reply.
    admitted.catch(() => undefined);
    if (!careful && !gatekeeper.isShedding) {
      return { admitted, reservation: gatekeeper.reservationOf(id) };
    }
    await admitted;
    return { admitted, reservation: undefined };
  }

  async #takeIn(submission: Submission, card: ModelCard) {
    const sources = findImages(submission.messages, this.#parts.limits.maxImages);
    const inputs = await resolveImages(sources, this.#parts.resolver, submission.tenant.id);
    const priced = inputs.map((input) => priceImage(input, card, submission.tenant.embeddingScope));
    const imageTokens = priced.map(({ expansion }) => expansion);
    checkContext(imageTokens, card);
    const images = [...new Map(priced.map((image) => [image.mmHash, image])).values()];
    const order = images.map(({ mmHash }) => mmHash);
    const messages = toJobMessages(
      submission.messages,
      priced.map(({ mmHash }) => order.indexOf(mmHash)),
    );
    return { images, messages, imageTokens };
  }

  /** Null: it is not let in, as `admit` will say. */
  async #create({ id, submission, request, reservation }: Creation): Promise<Accepted | null> {
    const { metadata, idempotency, webhook, tenant } = submission;
    const result = await this.#parts.jobs.create({
      id,
      tenant: tenant.id,
      request,
      ...(metadata === undefined ? {} : { metadata }),
      ...(idempotency === undefined ? {} : { idempotency }),
      ...(webhook === undefined ? {} : { webhook }),
      ...(reservation === undefined ? {} : { reservation }),
    });
    if (result.outcome === 'unreserved') return null;
    if (result.outcome === 'conflict') throw keyConflict();
    const { job } = result;
    if (result.outcome === 'created') return { job, repeated: false, ahead: result.ahead };
    return { job, repeated: true };
  }

  #note({ id, tenant, request }: Job, requestId: string): void {
    const { counts, log } = this.#parts;
    counts.accepted(request.model);
    const mmHash = request.images.map((image) => image.mmHash);
    log?.info({ job: id, request: requestId, tenant, model: request.model, mmHash }, 'accepted');
  }

  /**
   * Lets go of what was held under an id, but for what a live job of that id holds: a batch's line may be
   * submitted twice, and a job be written of which only a failure was heard. Where nobody can tell, all is
   * left: what no job holds is found by the sweep of the account, or expires.
   */
  async #release(images: readonly { readonly mmHash: string }[], id: string): Promise<void> {
    const { jobs, encodes, gatekeeper } = this.#parts;
    const job = await jobs.get(id).catch(() => undefined);
    if (job === undefined) return;
    const live = job?.ending === null;
    const held = new Set(live ? job.request.images.map(({ mmHash }) => mmHash) : []);
    const unheld = images.filter(({ mmHash }) => !held.has(mmHash));
    const withdrawn = live ? undefined : gatekeeper.withdraw(id);
    await Promise.allSettled([encodes.release(unheld, id), withdrawn]);
  }
}

/** Why a job was not let in. */
const refusalOf = (admitted: Promise<void>, id: string): Promise<unknown> =>
  admitted.then(
    () => new Error(`Job ${id} was let in, and then was not`),
    (error: unknown) => error,
  );

/** It held nothing. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'too_much_waiting';

const newJobId = (): string => `job_${randomUUID().replaceAll('-', '')}`;
