import { MESSAGE_VERSION } from '@epd/connector';
import type { ModelCard } from '@epd/fleet';
import type { JobRequest, NewJob } from '@epd/jobs';
import type { MemoryHold } from '../../http/memory-budget.ts';
import type { SamplingBody } from './sampling-schema.ts';
import type { Tenant } from '../auth/tenant.ts';
import type { ApiNotes } from '../jobs/api-notes.ts';
import type { SubmittedMessage } from './image-sources.ts';
import type { TemplateBody } from './template-options.ts';
import type { AskedTools } from './tools.ts';

/** A request for an answer, whichever route it came by. */
export interface Submission {
  /** Of the HTTP request, or the batch, that it came by. */
  readonly requestId: string;
  readonly tenant: Tenant;
  /** What it holds of the process's memory: its pictures are counted with it. */
  readonly memory: MemoryHold;
  readonly model: string | undefined;
  readonly messages: readonly SubmittedMessage[];
  /** The one message's text is the prompt: no template is put around it. */
  readonly raw?: true;
  readonly sampling: SamplingBody;
  /** Absent: none. */
  readonly tools?: AskedTools;
  /** What the caller says to the model's chat template. */
  readonly template?: TemplateBody;
  /** The caller's name for a field that chat completions have, where it has another. */
  readonly fieldName?: (field: string) => string;
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

/** What a worker needs of it, once its pictures are accepted and its sampling is settled. */
export function toRequest(
  submission: Submission,
  card: ModelCard,
  parts: Pick<JobRequest, 'messages' | 'images' | 'sampling' | 'tools' | 'templateOptions'>,
): JobRequest & { api: ApiNotes } {
  const nowMs = Date.now();
  const within = (seconds: number | null): number | null =>
    seconds === null ? null : nowMs + seconds * 1000;
  return {
    v: MESSAGE_VERSION,
    model: card.id,
    fingerprint: card.fingerprint,
    ...parts,
    ...(submission.raw ? { raw: true as const } : {}),
    returnTokenIds: submission.returnTokenIds,
    priority: submission.priority,
    startByMs: within(submission.startWithinS),
    endByMs: within(submission.finishWithinS),
    ...(submission.traceparent === undefined ? {} : { traceparent: submission.traceparent }),
    api: { ...submission.notes, acceptMs: nowMs - submission.receivedAtMs },
  };
}
