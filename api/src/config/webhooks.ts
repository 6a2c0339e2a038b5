import { Type } from 'typebox';

/** Where the ends of jobs are sent. */
export const webhooksConfig = {
  webhookHosts: Type.Array(Type.String({ minLength: 1 }), {
    env: 'EPD_WEBHOOK_HOSTS',
    default: [],
    description: 'Hosts that webhooks may be sent to: names, or *. and a domain',
  }),
  webhookSecret: Type.Optional(
    Type.String({
      env: 'EPD_WEBHOOK_SECRET',
      minLength: 16,
      secret: true,
      description:
        "Secret from which tenants' signing secrets are derived; without it there are no webhooks",
    }),
  ),
  webhookRetryMs: Type.Integer({
    env: 'EPD_WEBHOOK_RETRY_MS',
    default: 5_000,
    minimum: 1,
    description:
      'Delay before a webhook is retried; it doubles each time, up to about a day in total',
  }),
};
