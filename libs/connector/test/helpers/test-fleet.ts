import type { ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import {
  CompletionReader,
  EncodeRequester,
  createStoreECConnector,
  type ECRequest,
  type EmbeddingStore,
  type EmbeddingUsage,
} from '../../src/index.ts';
import { FINGERPRINT, hashOf } from './embeddings.ts';
import { encodeJobOf } from './encode-jobs.ts';
import { TestConsumer } from './test-consumer.ts';

interface ConsumerSettings {
  readonly redis: Redis;
  readonly prefix: string;
  readonly embeddings: EmbeddingStore;
  readonly usage?: EmbeddingUsage;
  readonly cacheBytes: number;
  readonly lookAgainMs: number;
  readonly maxFailedLoads?: number;
}

/** A consumer with all that it needs, on connections of its own. */
export async function startConsumer(
  t: ExecutionContext,
  settings: ConsumerSettings,
): Promise<TestConsumer> {
  const { prefix, embeddings, usage, lookAgainMs, maxFailedLoads = 5, cacheBytes } = settings;
  const redis = settings.redis.duplicate();
  const requester = new EncodeRequester({ redis, prefix, embeddings, ...(usage ? { usage } : {}) });
  const events = new CompletionReader({ redis, prefix });
  await events.start();
  const connector = createStoreECConnector(
    {
      ecConnector: 'StoreECConnector',
      ecRole: 'ec_consumer',
      ecConnectorExtraConfig: { lookAgainMs, maxFailedLoads },
    },
    { embeddings, fingerprint: FINGERPRINT, width: 8, requester, events },
  );
  const consumer = new TestConsumer(connector, cacheBytes);
  t.teardown(async () => {
    await consumer.stop();
    await events.stop();
    await requester.close();
    redis.disconnect();
  });
  return consumer;
}

export const requestOf = (
  id: string,
  names: readonly string[],
  generations: readonly number[] = [],
): ECRequest => ({
  id,
  features: names.map((name, index) => {
    const generation = generations[index];
    const span = { mmHash: hashOf(name), offset: 10 * index, length: 10, rows: 4 };
    return {
      ...span,
      encode: encodeJobOf(name),
      ...(generation === undefined ? {} : { generation }),
    };
  }),
});
