import type { Redis } from 'ioredis';
import { decodeEvent } from './job-event-codec.ts';
import type { SequencedEvent } from './job-event.ts';
import type { JobKeys } from './job-keys.ts';

type Listener = (message: string) => void;

const DEFAULT_SILENCE_MS = 20_000;
/** Streams end all the time, most of them with their job, whose channel is silent then: one command for many. */
const LEAVE_MS = 250;

/**
 * All live streams of a process over one subscriber connection, opened on first use. A message
 * missed while the connection was down is not repeated: readers compare sequence numbers and read
 * the stream when they find a gap. A connection that only listens would not notice a broken network
 * path, so it sends periodic pings; the client's `socketTimeout` does the rest.
 */
export class JobChannel {
  readonly #redis: Redis;
  readonly #keys: JobKeys;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Channels without listeners that are still subscribed to. */
  readonly #left = new Set<string>();
  #subscriber: Redis | null = null;
  #leaving: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(redis: Redis, keys: JobKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  onEvent(id: string, listener: (event: SequencedEvent) => void): Promise<() => Promise<void>> {
    return this.#on(this.#keys.channel(id), (message) => listener(decodeEvent(message)));
  }

  onEnded(listener: (id: string) => void): Promise<() => Promise<void>> {
    return this.#on(this.#keys.ended, listener);
  }

  onWebhookDue(listener: (id: string) => void): Promise<() => Promise<void>> {
    return this.#on(this.#keys.webhookDue, listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#left.clear();
    clearTimeout(this.#leaving);
    clearInterval(this.#heartbeat);
    this.#subscriber?.disconnect();
    this.#subscriber = null;
  }

  async #on(channel: string, listener: Listener): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(channel, listeners);
    this.#left.delete(channel);
    try {
      await this.#connection().subscribe(channel);
    } catch (error) {
      this.#off(channel, listener); // nothing else would unsubscribe it
      throw error;
    }
    return async () => this.#off(channel, listener);
  }

  #off(channel: string, listener: Listener): void {
    const listeners = this.#listeners.get(channel);
    if (listeners === undefined || !listeners.delete(listener) || listeners.size > 0) return;
    this.#listeners.delete(channel);
    if (this.#subscriber === null) return;
    this.#left.add(channel);
    this.#leaving ??= setTimeout(() => this.#leave(), LEAVE_MS);
  }

  /** A message that still comes has no listener. */
  #leave(): void {
    this.#leaving = undefined;
    const channels = [...this.#left];
    this.#left.clear();
    if (channels.length === 0) return;
    // On a connection that is down there is nothing to leave: it subscribes anew to what ioredis remembers.
    this.#subscriber?.unsubscribe(...channels).catch(() => undefined);
  }

  #connection(): Redis {
    if (this.#subscriber !== null) return this.#subscriber;
    const subscriber = this.#redis.duplicate();
    subscriber.on('message', (channel: string, message: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(message);
    });
    subscriber.on('error', () => undefined); // ioredis reconnects and subscribes again by itself
    this.#subscriber = subscriber;
    const silenceMs = subscriber.options.socketTimeout ?? DEFAULT_SILENCE_MS;
    this.#heartbeat = setInterval(() => ask(subscriber), silenceMs / 2);
    return subscriber;
  }
}

function ask(subscriber: Redis): void {
  if (subscriber.status === 'ready') subscriber.ping().catch(() => undefined); // it reconnects
}
