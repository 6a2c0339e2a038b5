import type { Submission } from '../../core/accept/submission.ts';
import {
  refuseUnsupported,
  UNSUPPORTED_IN_COMPLETIONS,
} from '../../core/accept/unsupported-fields.ts';
import { priorityOf } from '../../core/limits/priority.ts';
import { ANSWER_WITHIN_S } from '../../core/streams/await-answer.ts';
import { idempotencyOf } from '../../http/idempotency.ts';
import type { RequestFacts } from '../../http/request-facts.ts';
import { traceparentOf } from '../../http/traceparent.ts';
import type { CompletionBody } from './schema.ts';

/** A `POST /v1/completions` as the acceptor takes it: a prompt of one message, without a template. */
export function completionSubmission(request: RequestFacts, body: CompletionBody): Submission {
  refuseUnsupported(body, UNSUPPORTED_IN_COMPLETIONS);
  const { prompt, logprobs, ...rest } = body;
  const text = typeof prompt === 'string' ? prompt : (prompt[0] ?? '');
  const sampling =
    logprobs === undefined ? rest : { ...rest, logprobs: true, top_logprobs: logprobs };
  return {
    requestId: request.id,
    tenant: request.tenant,
    memory: request.memory,
    model: body.model,
    messages: [{ role: 'user', content: text }],
    raw: true,
    fieldName: (field) => (field === 'messages' ? 'prompt' : field),
    sampling,
    returnTokenIds: false,
    priority: priorityOf(body.priority, request.tenant),
    startWithinS: null,
    finishWithinS: ANSWER_WITHIN_S,
    notes: { kind: 'completion' },
    receivedAtMs: request.receivedAtMs,
    traceparent: traceparentOf(request),
    idempotency: idempotencyOf(request, 'completion'),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  };
}
