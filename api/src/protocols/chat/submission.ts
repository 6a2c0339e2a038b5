import type { Submission } from '../../core/accept/submission.ts';
import { askedTools } from '../../core/accept/tools.ts';
import { refuseUnsupported, UNSUPPORTED_IN_CHAT } from '../../core/accept/unsupported-fields.ts';
import type { ChatCompletionBody } from './schema.ts';
import { ANSWER_WITHIN_S } from '../../core/streams/await-answer.ts';
import { priorityOf } from '../../core/limits/priority.ts';
import { idempotencyOf } from '../../http/idempotency.ts';
import type { RequestFacts } from '../../http/request-facts.ts';
import { traceparentOf } from '../../http/traceparent.ts';

/** A `POST /v1/chat/completions` as the acceptor takes it. */
export function chatSubmission(request: RequestFacts, body: ChatCompletionBody): Submission {
  refuseUnsupported(body, UNSUPPORTED_IN_CHAT);
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  return {
    requestId: request.id,
    tenant: request.tenant,
    memory: request.memory,
    model: body.model,
    messages: body.messages,
    tools: askedTools(body),
    template: body,
    sampling: maxTokens === undefined ? body : { ...body, max_tokens: maxTokens },
    returnTokenIds: body.return_token_ids ?? false,
    priority: priorityOf(body.priority, request.tenant),
    startWithinS: null,
    finishWithinS: ANSWER_WITHIN_S,
    notes: { kind: 'chat' },
    receivedAtMs: request.receivedAtMs,
    traceparent: traceparentOf(request),
    idempotency: idempotencyOf(request, 'chat'),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  };
}
