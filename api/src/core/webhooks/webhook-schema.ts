import { Type, type Static } from 'typebox';

const WebhookEvent = Type.Union([
  Type.Literal('job.completed'),
  Type.Literal('job.failed'),
  Type.Literal('job.cancelled'),
  Type.Literal('job.expired'),
]);

export const WebhookBody = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2_000 }),
  events: Type.Optional(
    Type.Array(WebhookEvent, { minItems: 1, description: 'Default: all of them.' }),
  ),
});
export type WebhookBody = Static<typeof WebhookBody>;
