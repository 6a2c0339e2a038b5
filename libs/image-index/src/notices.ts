import { InputRef } from '@epd/connector';
import type { Redis } from 'ioredis';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

const NOTICE_VERSION = 1;

/**
 * Notices kept, about. The writer cuts off what it has indexed; only while no writer runs for long does
 * the stream grow to this, which is some tens of megabytes. What is cut off then is found by the writer's
 * look at the store, without the callers' metadata.
 */
const MAX_NOTICES = 100_000;

const SeenImage = Type.Object({
  mmHash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  input: InputRef,
});

/** What the API tells the index: a tenant's job came with images, or an embedding was removed. */
export const Notice = Type.Union([
  Type.Object({
    v: Type.Literal(NOTICE_VERSION),
    kind: Type.Literal('seen'),
    tenant: Type.String(),
    model: Type.String(),
    fingerprint: Type.String(),
    jobId: Type.String(),
    metadata: Type.Record(Type.String(), Type.String()),
    images: Type.Array(SeenImage),
  }),
  Type.Object({
    v: Type.Literal(NOTICE_VERSION),
    kind: Type.Literal('gone'),
    mmHash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  }),
]);
export type Notice = Static<typeof Notice>;
export type SeenNotice = Extract<Notice, { kind: 'seen' }>;

const validator = Compile(Notice);

export const noticeStreamKey = (prefix: string): string => `${prefix}:index:notices`;

/** The notice in a stream entry's `notice` field; null for one of another version or shape. */
export function parseNotice(text: string): Notice | null {
  try {
    const message: unknown = JSON.parse(text);
    return validator.Check(message) ? message : null;
  } catch {
    return null;
  }
}

/** Tells the index. A notice that is lost costs metadata at worst: images are found in the store too. */
export class NoticePublisher {
  readonly #redis: Redis;
  readonly #stream: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#stream = noticeStreamKey(prefix);
  }

  async seen(notice: Omit<SeenNotice, 'v' | 'kind'>): Promise<void> {
    if (notice.images.length > 0)
      await this.#publish({ v: NOTICE_VERSION, kind: 'seen', ...notice });
  }

  async gone(mmHash: string): Promise<void> {
    await this.#publish({ v: NOTICE_VERSION, kind: 'gone', mmHash });
  }

  async #publish(notice: Notice): Promise<void> {
    const text = JSON.stringify(notice);
    await this.#redis.xadd(this.#stream, 'MAXLEN', '~', MAX_NOTICES, '*', 'notice', text);
  }
}
