import type { ConstraintLimits } from '@epd/constraint';
import { randomUUID } from 'node:crypto';
import type { ModelCard } from '@epd/fleet';
import type { NoticePublisher } from '@epd/image-index';
import type { Job, JobCost, JobRequest, JobStore, Sampling } from '@epd/jobs';
import { startSpan, type Logger } from '@epd/service';
import type { Gatekeeper } from '../limits/gatekeeper.ts';
import { jobCost } from './job-cost.ts';
import type { JobCounts } from '../metrics/api-metrics.ts';
import type { ModelDirectory } from '../models/model-directory.ts';
import type { Tenant } from '../auth/tenant.ts';
import { earlierJob, keyConflict } from './earlier-job.ts';
import { checkCalls } from './check-calls.ts';
import { checkText } from './check-text.ts';
import type { ImageEncodes } from './image-encodes.ts';
import type { ImageResolver } from './image-resolver.ts';
import { expandVideos } from './expand-videos.ts';
import { findImages, isFetched, toJobMessages, type ImageSource } from './image-sources.ts';
import { checkContext, priceImage } from './price-images.ts';
import { toSampling } from './sampling.ts';
import { toRequest, type Submission } from './submission.ts';
import { toTemplateOptions } from './template-options.ts';
import { toTools } from './tools.ts';
import { inCallersWords } from './callers-words.ts';
import { resolveImages } from './resolve-images.ts';
import { settleAll } from './settle-all.ts';

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
  readonly cost: JobCost;
}

interface AcceptorParts {
  readonly jobs: JobStore;
  readonly models: ModelDirectory;
  readonly resolver: ImageResolver;
  readonly encodes: ImageEncodes;
  readonly gatekeeper: Gatekeeper;
  /** Null: the fleet keeps no index of images. */
  readonly notices: Pick<NoticePublisher, 'seen'> | null;
  readonly counts: Pick<JobCounts, 'accepted'>;
  readonly log?: Pick<Logger, 'info'>;
  readonly limits: {
    readonly maxImages: number;
    readonly defaultMaxTokens: number;
    readonly constraints: ConstraintLimits;
  };
}

/** Turns a submission into a durable job: the first two steps of a request's life. */
export class Acceptor {
  readonly #parts: AcceptorParts;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
  }

  /** Resolves when the job is durable. Throws `ApiError`; then no waiter entry is left. */
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
      throw inCallersWords(error, submission.fieldName);
    }
  }

  async #accept(given: Submission): Promise<Accepted> {
    const earlier = await earlierJob(this.#parts.jobs, given);
    if (earlier !== null) return { job: earlier, repeated: true };
    const card = await this.#parts.models.resolve(given.model);
    const submission = { ...given, messages: expandVideos(given.messages, card) };
    const asked = this.#settle(submission, card);
    const { sampling } = asked;
    checkCalls(submission.messages);
    checkText(submission, card, asked.tools);
    const sources = findImages(submission.messages, this.#parts.limits.maxImages);
    await this.#checkBeforeTaking(submission, sources, sampling);
    const { images, messages, imageTokens, kept } = await this.#takeIn(submission, sources, card);
    const id = submission.id ?? newJobId();
    const tokens = jobCost(submission.messages, imageTokens, sampling);
    const cost = await this.#admit(submission.tenant, tokens);
    try {
      const context = { waiter: id, card, ...submission };
      const joining = this.#parts.encodes.join(images, context);
      await settleAll<unknown>([joining, ...kept]);
      const found = await joining;
      const request = toRequest(submission, card, { messages, images: found, ...asked });
      // Once the job is durable: should this fail, the worker that waits for the image asks again.
      const begin = () => this.#parts.encodes.begin(found, context).catch(() => undefined);
      const created = await this.#create({ id, submission, request, cost }, begin);
      if (!created.repeated) {
        this.#note(created.job, submission.requestId);
        this.#tellIndex(created.job, card);
      }
      // A repetition may have been the first to ask for what the job waits for.
      if (created.repeated) await begin();
      if (created.repeated) await this.#release(images, id);
      if (created.repeated) await this.#giveBackTokens(submission.tenant, cost);
      return created;
    } catch (error) {
      const live = await this.#release(images, id);
      if (live === false) await this.#giveBackTokens(submission.tenant, cost);
      throw error;
    }
  }

  /**
   * The request's options for the answer, in the workers' form. Throws `ApiError` for unsupported
   * ones.
   */
  #settle(
    submission: Submission,
    card: ModelCard,
  ): Pick<JobRequest, 'sampling' | 'tools' | 'templateOptions'> {
    const { defaultMaxTokens, constraints } = this.#parts.limits;
    const sampling = toSampling(submission.sampling, {
      defaultMaxTokens,
      contextLength: card.contextLength,
      constraints,
    });
    const { constraint } = sampling;
    const tools =
      submission.tools && toTools(submission.tools, submission.sampling, constraint, constraints);
    const templateOptions = submission.template && toTemplateOptions(submission.template, card);
    return {
      sampling,
      ...(tools === undefined ? {} : { tools }),
      ...(templateOptions === undefined ? {} : { templateOptions }),
    };
  }

  /**
   * Takes what the job may cost from the tenant's budget. Where many are refused, asks first: a job that would
   * be refused costs little then. Whether it is admitted is decided with its record.
   */
  async #admit(tenant: Tenant, tokens: number): Promise<JobCost> {
    const { gatekeeper } = this.#parts;
    const cost = gatekeeper.costOf(tenant, tokens);
    if (gatekeeper.isShedding) await gatekeeper.check(tenant, cost);
    await gatekeeper.takeTokens(tenant, cost);
    return cost;
  }

  /** A job that would be refused for its text alone costs no fetch, and where many are, nothing is stored. */
  async #checkBeforeTaking(
    { tenant, messages }: Submission,
    sources: readonly ImageSource[],
    sampling: Sampling,
  ): Promise<void> {
    const { gatekeeper } = this.#parts;
    const isCostly = sources.some(isFetched) || (sources.length > 0 && gatekeeper.isShedding);
    if (!isCostly) return;
    await gatekeeper.check(tenant, gatekeeper.costOf(tenant, jobCost(messages, [], sampling)));
  }

  async #takeIn(submission: Submission, sources: readonly ImageSource[], card: ModelCard) {
    const taken = await resolveImages(sources, this.#parts.resolver, submission);
    const { embeddingScope: scope } = submission.tenant;
    const priced = taken.map(({ input }, index) =>
      priceImage(input, card, { scope, param: sources[index]?.param ?? 'messages' }),
    );
    const imageTokens = priced.map(({ expansion }) => expansion);
    checkContext(imageTokens, card);
    const images = [...new Map(priced.map((image) => [image.mmHash, image])).values()];
    const order = images.map(({ mmHash }) => mmHash);
    const messages = toJobMessages(
      submission.messages,
      priced.map(({ mmHash }) => order.indexOf(mmHash)),
    );
    return { images, messages, imageTokens, kept: taken.map((image) => image.kept) };
  }

  async #create(
    { id, submission, request, cost }: Creation,
    begin: () => Promise<void>,
  ): Promise<Accepted> {
    const { jobs, gatekeeper } = this.#parts;
    const { metadata, idempotency, webhook, tenant } = submission;
    const job = {
      id,
      tenant: tenant.id,
      request,
      cost,
      ...(metadata === undefined ? {} : { metadata }),
      ...(idempotency === undefined ? {} : { idempotency }),
      ...(webhook === undefined ? {} : { webhook }),
    };
    const result = await jobs.create(job, begin);
    if (result.outcome === 'refused') throw await gatekeeper.refusal(result.excess, cost);
    if (result.outcome === 'conflict') throw keyConflict();
    if (result.outcome === 'repeated') return { job: result.job, repeated: true };
    return { job: result.job, repeated: false, ahead: result.ahead };
  }

  #note({ id, tenant, request }: Job, requestId: string): void {
    const { counts, log } = this.#parts;
    counts.accepted(request.model);
    const mmHash = request.images.map((image) => image.mmHash);
    log?.info({ job: id, request: requestId, tenant, model: request.model, mmHash }, 'accepted');
  }

  /** Not awaited: the index finds what it misses of a job in the store, except for its metadata. */
  #tellIndex({ id, tenant, request, metadata }: Job, { id: model, fingerprint }: ModelCard): void {
    const images = request.images.map(({ mmHash, input }) => ({ mmHash, input }));
    this.#parts.notices
      ?.seen({ tenant, model, fingerprint, jobId: id, metadata, images })
      .catch(() => undefined);
  }

  /**
   * Releases the images that wait under an id, but for those of a live job of that id: a batch's line may be
   * submitted twice, and a job be written of which only a failure was heard. Where nobody can tell, all is
   * left, and expires. Returns whether the job lives; undefined: nobody can tell.
   */
  async #release(
    images: readonly { readonly mmHash: string }[],
    id: string,
  ): Promise<boolean | undefined> {
    const job = await this.#parts.jobs.get(id).catch(() => undefined);
    if (job === undefined) return undefined;
    const live = job?.ending === null;
    const held = new Set(live ? job.request.images.map(({ mmHash }) => mmHash) : []);
    const unheld = images.filter(({ mmHash }) => !held.has(mmHash));
    await this.#parts.encodes.release(unheld, id);
    return live;
  }

  /** Tokens that cannot be returned are available again within a minute. */
  async #giveBackTokens(tenant: Tenant, cost: JobCost): Promise<void> {
    await this.#parts.gatekeeper.giveBackTokens(tenant, cost).catch(() => undefined);
  }
}

const newJobId = (): string => `job_${randomUUID().replaceAll('-', '')}`;
