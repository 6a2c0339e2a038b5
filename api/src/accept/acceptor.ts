import { randomBytes } from 'node:crypto';
import { MESSAGE_VERSION, type EncodeJob, type EncodeRequester } from '@epd/connector';
import type { Job, JobImage, JobRequest, JobStore, ModelCard, NewJob } from '@epd/jobs';
import { ApiError } from '../errors.ts';
import type { Gatekeeper } from '../limits/gatekeeper.ts';
import { jobCost } from '../limits/job-cost.ts';
import type { ModelDirectory } from '../model-directory.ts';
import type { SamplingBody } from '../schemas/sampling.ts';
import type { Tenant } from '../tenant.ts';
import type { ApiNotes } from './api-notes.ts';
import type { ImageIntake } from './image-intake.ts';
import { findImages, toJobMessages, type SubmittedMessage } from './image-sources.ts';
import { checkContext, priceImage, type PricedImage } from './price-images.ts';
import { toSampling } from './sampling.ts';
import { takeImages } from './take-images.ts';

/** A request for an answer, whichever route it came by. */
export interface Submission {
  readonly tenant: Tenant;
  readonly model: string | undefined;
  readonly messages: readonly SubmittedMessage[];
  readonly sampling: SamplingBody;
  readonly returnTokenIds: boolean;
  readonly priority: number;
  readonly startWithinS: number | null;
  readonly finishWithinS: number | null;
  readonly notes: Omit<ApiNotes, 'acceptMs'>;
  readonly receivedAtMs: number;
  readonly traceparent?: string | undefined;
  readonly id?: string;
  readonly metadata?: NewJob['metadata'];
  readonly idempotency?: NewJob['idempotency'] | undefined;
  readonly webhook?: NewJob['webhook'];
}

interface AcceptorParts {
  readonly jobs: JobStore;
  readonly models: ModelDirectory;
  readonly intake: ImageIntake;
  readonly encodes: Pick<EncodeRequester, 'request' | 'release'>;
  readonly gatekeeper: Gatekeeper;
  readonly limits: { readonly maxImages: number; readonly defaultMaxTokens: number };
}

/** Turns a submission into a durable job: the first two steps of a request's life. */
export class Acceptor {
  readonly #parts: AcceptorParts;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
  }

  /** Resolves when the job is durable. Throws `ApiError`; then nothing is left waiting. */
  async accept(submission: Submission): Promise<{ job: Job; repeated: boolean }> {
    const card = await this.#parts.models.resolve(submission.model);
    const { images, messages, imageTokens } = await this.#takeIn(submission, card);
    const { defaultMaxTokens } = this.#parts.limits;
    const { contextLength } = card;
    const sampling = toSampling(submission.sampling, { defaultMaxTokens, contextLength });
    const id = submission.id ?? newJobId();
    const cost = jobCost(submission.messages, imageTokens, sampling);
    await this.#parts.gatekeeper.admit(id, submission.tenant, cost);
    try {
      const found = await this.#requestEncodes(images, card, id, submission);
      return await this.#create(
        id,
        submission,
        toRequest(submission, card, { messages, images: found, sampling }),
      );
    } catch (error) {
      await this.#release(images, id);
      throw error;
    }
  }

  async #takeIn(submission: Submission, card: ModelCard) {
    const sources = findImages(submission.messages, this.#parts.limits.maxImages);
    const inputs = await takeImages(sources, this.#parts.intake, submission.tenant.id);
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

  /** Settles before it throws: a join that is still under way could not be released. */
  async #requestEncodes(
    images: readonly PricedImage[],
    card: ModelCard,
    waiter: string,
    { traceparent, priority }: Submission,
  ): Promise<JobImage[]> {
    const asked = images.map(async ({ mmHash, input, tokens }): Promise<JobImage> => {
      const job: EncodeJob = {
        v: MESSAGE_VERSION,
        mmHash,
        model: card.id,
        fingerprint: card.fingerprint,
        input,
        tokens,
        requestedAtMs: Date.now(),
        ...(traceparent === undefined ? {} : { traceparent }),
      };
      const { found, generation } = await this.#parts.encodes.request(job, waiter, {
        priority: ENCODE_PRIORITY_OFFSET + priority,
      });
      return { mmHash, input, tokens, found, generation };
    });
    const settled = await Promise.allSettled(asked);
    return settled.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  }

  async #create(id: string, submission: Submission, request: JobRequest) {
    const { metadata, idempotency, webhook, tenant } = submission;
    const result = await this.#parts.jobs.create({
      id,
      tenant: tenant.id,
      request,
      ...(metadata === undefined ? {} : { metadata }),
      ...(idempotency === undefined ? {} : { idempotency }),
      ...(webhook === undefined ? {} : { webhook }),
    });
    if (result.outcome === 'conflict') {
      throw new ApiError(
        'idempotency_conflict',
        'This Idempotency-Key came with another body before',
      );
    }
    if (result.outcome === 'repeated') await this.#release(request.images, id);
    return { job: result.job, repeated: result.outcome === 'repeated' };
  }

  async #release(images: readonly { readonly mmHash: string }[], waiter: string): Promise<void> {
    const { encodes, gatekeeper } = this.#parts;
    const released = images.map(({ mmHash }) => encodes.release(mmHash, waiter));
    await Promise.allSettled([...released, gatekeeper.withdraw(waiter)]);
  }
}

/** BullMQ takes priorities from 1 (first); ours are -100 to 100. */
const ENCODE_PRIORITY_OFFSET = 101;

const newJobId = (): string => `job_${randomBytes(16).toString('hex')}`;

function toRequest(
  submission: Submission,
  card: ModelCard,
  parts: Pick<JobRequest, 'messages' | 'images' | 'sampling'>,
): JobRequest & { api: ApiNotes } {
  const nowMs = Date.now();
  const within = (seconds: number | null): number | null =>
    seconds === null ? null : nowMs + seconds * 1000;
  return {
    v: MESSAGE_VERSION,
    model: card.id,
    fingerprint: card.fingerprint,
    ...parts,
    returnTokenIds: submission.returnTokenIds,
    priority: submission.priority,
    startByMs: within(submission.startWithinS),
    endByMs: within(submission.finishWithinS),
    ...(submission.traceparent === undefined ? {} : { traceparent: submission.traceparent }),
    api: { ...submission.notes, acceptMs: nowMs - submission.receivedAtMs },
  };
}
