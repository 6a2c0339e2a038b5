import type { NewJob } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { WebhookBody } from './webhook-schema.ts';

interface RuleSettings {
  readonly allowHttp: boolean;
  /** False: there is no secret to sign with. */
  readonly signed: boolean;
}

const WEBHOOK_EVENTS = ['job.completed', 'job.failed', 'job.cancelled', 'job.expired'] as const;

/** Where messages may be sent: to hosts that the operator has named for the tenant, and to no other. */
export class WebhookRules {
  readonly #settings: RuleSettings;

  constructor(settings: RuleSettings) {
    this.#settings = settings;
  }

  /**
   * The webhook of a submission as the job keeps it. `hosts` are names, or `*.` and a domain whose hosts are all
   * allowed. Throws `webhook_not_allowed`.
   */
  check(webhook: WebhookBody | undefined, hosts: readonly string[]): NewJob['webhook'] {
    if (webhook === undefined) return undefined;
    const url = URL.parse(webhook.url);
    if (url === null) throw refused('not a URL');
    if (!this.#settings.signed) throw refused('no signing secret is configured');
    const schemes = this.#settings.allowHttp ? ['https:', 'http:'] : ['https:'];
    if (!schemes.includes(url.protocol)) throw refused(`expected ${schemes.join(' or ')}`);
    if (url.username !== '' || url.password !== '') throw refused('it holds credentials');
    if (!hosts.some((pattern) => matches(pattern, url.hostname))) {
      throw refused('its host is not among those that are allowed');
    }
    return { url: url.href, events: webhook.events ?? WEBHOOK_EVENTS };
  }
}

const matches = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;

const refused = (why: string): ApiError =>
  new ApiError('webhook_not_allowed', `webhook.url: this webhook is not allowed: ${why}`, {
    param: 'webhook.url',
  });
