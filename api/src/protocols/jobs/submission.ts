import type { FastifyRequest } from 'fastify';
import type { Submission } from '../../core/accept/submission.ts';
import { askedTools } from '../../core/accept/tools.ts';
import { refuseUnsupported, UNSUPPORTED_IN_CHAT } from '../../core/accept/unsupported-fields.ts';
import type { WebhookRules } from '../../core/webhooks/webhook-rules.ts';
import { priorityOf } from '../../core/limits/priority.ts';
import { idempotencyOf } from '../../http/idempotency.ts';
import type { JobBody } from './schema.ts';
import { traceparentOf } from '../../http/traceparent.ts';

/** A `POST /v1/jobs` as the acceptor takes it. */
export function submissionOf(
  request: FastifyRequest,
  body: JobBody,
  rules: WebhookRules,
): Submission {
  refuseUnsupported(body, UNSUPPORTED_IN_CHAT);
  const webhook = rules.check(body.webhook, request.tenant.webhookHosts);
  return {
    requestId: request.id,
    tenant: request.tenant,
    memory: request.memory,
    model: body.model,
    messages: body.messages,
    tools: askedTools(body),
    template: body,
    sampling: body,
    returnTokenIds: body.return_token_ids ?? false,
    priority: priorityOf(body.priority, request.tenant),
    startWithinS: body.start_within_s ?? null,
    finishWithinS: body.finish_within_s ?? null,
    notes: { kind: 'job' },
    receivedAtMs: request.receivedAtMs,
    traceparent: traceparentOf(request),
    idempotency: idempotencyOf(request, 'job'),
    ...(webhook === undefined ? {} : { webhook }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  };
}
