import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

const PREFIX = 'whsec_';

/**
 * One signing secret per tenant, derived from the fleet's: a tenant that knows its own can check its
 * messages and sign none of another fleet.
 */
export class WebhookSecrets {
  readonly #fleetSecret: string;

  constructor(fleetSecret: string) {
    this.#fleetSecret = fleetSecret;
  }

  /** In the form of Standard Webhooks: what a receiver's library takes. */
  secretOf(tenant: string): string {
    return (
      PREFIX + createHmac('sha256', this.#fleetSecret).update(`webhook ${tenant}`).digest('base64')
    );
  }

  /** The three headers of Standard Webhooks. Receivers refuse signatures older than a few minutes. */
  headers(tenant: string, messageId: string, payload: string, now: Date): Record<string, string> {
    return {
      'webhook-id': messageId,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(this.secretOf(tenant)).sign(messageId, now, payload),
    };
  }
}
