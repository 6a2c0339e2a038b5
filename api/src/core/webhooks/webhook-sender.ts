import { serverTimeMs } from '@epd/connector';
import { UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { AddressPolicy } from '../media/address-policy.ts';
import { GuardedRequests } from '../media/guarded-requests.ts';
import { WEBHOOK_QUEUE, type WebhookMessage } from './webhook-queue.ts';
import type { WebhookSecrets } from './webhook-secrets.ts';

interface WebhookSenderParts {
  /** A connection of its own that waits without end, as BullMQ's workers need. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly secrets: WebhookSecrets;
  readonly policy: AddressPolicy;
  readonly onError: (error: Error) => void;
}

/** What Standard Webhooks recommends: long enough for a slow receiver, short enough to try again. */
const TIMEOUT_MS = 15_000;
const CONCURRENCY = 16;
const GONE = 410;

/** Delivers messages from the queue; every API process runs one, and each message goes to one of them. */
export class WebhookSender {
  readonly #parts: WebhookSenderParts;
  readonly #requests: GuardedRequests;
  readonly #worker: Worker<WebhookMessage>;

  constructor(parts: WebhookSenderParts) {
    this.#parts = parts;
    this.#requests = new GuardedRequests(parts.policy);
    this.#worker = new Worker<WebhookMessage>(WEBHOOK_QUEUE, ({ data }) => this.#send(data), {
      connection: parts.redis,
      prefix: parts.prefix,
      concurrency: CONCURRENCY,
    });
    this.#worker.on('error', parts.onError);
  }

  async stop(): Promise<void> {
    await this.#worker.close();
    await this.#requests.close();
  }

  /** Throws when the message has not arrived; the queue then tries again. A redirect is no arrival. */
  async #send({ tenant, url, messageId, payload }: WebhookMessage): Promise<void> {
    const { redis, secrets } = this.#parts;
    const now = new Date(await serverTimeMs(redis)); // this process's own clock may be wrong
    const answer = await this.#requests.request(url, {
      method: 'POST',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'epd-fleet',
        ...secrets.headers(tenant, messageId, payload, now),
      },
      body: payload,
    });
    await answer.body.dump();
    if (answer.statusCode >= 200 && answer.statusCode < 300) return;
    const message = `${new URL(url).host} answered ${answer.statusCode}`;
    throw answer.statusCode === GONE ? new UnrecoverableError(message) : new Error(message);
  }
}
