import type { FastifyRequest } from 'fastify';
import type { Submission } from '../accept/submission.ts';
import type { WebhookRules } from '../webhooks/webhook-rules.ts';
import { idempotencyOf } from './idempotency.ts';
import type { JobBody } from '../schemas/jobs.ts';

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A `POST /v1/jobs` as the acceptor takes it. */
export function submissionOf(
  request: FastifyRequest,
  body: JobBody,
  rules: WebhookRules,
): Submission {
  const webhook = rules.check(body.webhook);
  return {
    requestId: request.id,
    tenant: request.tenant,
    model: body.model,
    messages: body.messages,
    sampling: body,
    returnTokenIds: body.return_token_ids ?? false,
    priority: body.priority ?? 0,
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

/** The caller's trace, when it is well formed; anything else is left out, as the standard asks. */
export function traceparentOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const given = headers['traceparent'];
  return typeof given === 'string' && TRACEPARENT.test(given) ? given : undefined;
}
