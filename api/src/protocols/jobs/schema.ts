import { Type, type Static } from 'typebox';
import { Messages } from '../../core/accept/message-schema.ts';
import { SamplingBody } from '../../core/accept/sampling-schema.ts';
import { TemplateFields } from '../../core/accept/template-options.ts';
import { ToolFields } from '../../core/accept/tools-schema.ts';
import { Metadata } from '../../core/jobs/metadata-schema.ts';
import { WebhookBody } from '../../core/webhooks/webhook-schema.ts';
import { EXAMPLES } from '../examples.ts';

/** A week: longer than any retention; past it a deadline is a mistake. */
const MAX_DEADLINE_S = 7 * 24 * 3600;

export const JobBody = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    messages: Messages,
    ...SamplingBody.properties,
    ...ToolFields,
    ...TemplateFields,
    return_token_ids: Type.Optional(Type.Boolean()),
    priority: Type.Optional(
      Type.Integer({ minimum: -100, maximum: 100, description: 'Lower runs first. Default 0.' }),
    ),
    metadata: Type.Optional(Metadata),
    start_within_s: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_DEADLINE_S,
        description: 'A job that has not begun by then expires.',
      }),
    ),
    finish_within_s: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_DEADLINE_S,
        description: 'A job that has not ended by then expires, with what it has written so far.',
      }),
    ),
    webhook: Type.Optional(WebhookBody),
  },
  { additionalProperties: false, title: 'NewJob', examples: EXAMPLES.job },
);
export type JobBody = Static<typeof JobBody>;
