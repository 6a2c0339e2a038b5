import {
  EmbeddingStore,
  MemoryStore,
  StoreECWorker,
  StoreUnavailableError,
  createECConnector,
  parseTransferConfig,
  type ECWorkerConnector,
  type EncoderCache,
} from '@epd/connector';
import test from 'ava';
import { EmbeddingSaver } from '../../src/encode/embedding-saver.ts';

const [GOOD, BAD] = ['a'.repeat(64), 'b'.repeat(64)] as const;

/** Refuses to keep what belongs to `BAD`. */
class PartlyAwayStore extends MemoryStore {
  override put(...args: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
    if (args[0].includes(BAD)) throw new StoreUnavailableError('test', 'it is away');
    return super.put(...args);
  }
}

async function connectorOn(store: MemoryStore): Promise<ECWorkerConnector> {
  const config = parseTransferConfig({ ecConnector: 'StoreECConnector', ecRole: 'ec_producer' });
  const embeddings = new EmbeddingStore({ store });
  const { worker } = await createECConnector(config, { embeddings, fingerprint: 'f', width: 4 });
  const cache: EncoderCache = new Map();
  for (const name of [GOOD, BAD]) {
    cache.set(name, { rows: 1, width: 4, dtype: 'F32', data: new Uint8Array(16) });
  }
  worker.registerCaches(cache);
  return worker;
}

test('an item whose save fails does not fail those beside it', async (t) => {
  const store = new PartlyAwayStore();
  const saver = new EmbeddingSaver(await connectorOn(store));
  const [good, bad, again] = await Promise.allSettled(
    [GOOD, BAD, GOOD].map((name) => saver.save(name)),
  );
  t.is(good?.status, 'fulfilled');
  t.is(again?.status, 'fulfilled');
  t.true(bad?.status === 'rejected' && bad.reason instanceof StoreUnavailableError);
});

test('what is saved is durable, and told with size and tag', async (t) => {
  const store = new MemoryStore();
  const worker = await connectorOn(store);
  t.true(worker instanceof StoreECWorker);
  const file = await new EmbeddingSaver(worker).save(GOOD);
  const stat = await store.stat(`embeddings/${GOOD}/encoder_cache.safetensors`);
  t.deepEqual(file, { bytes: stat!.bytes, etag: stat!.etag });
});

test('a connector that tells nothing of single items is believed as a whole', async (t) => {
  const worker = await connectorOn(new PartlyAwayStore());
  const silent: ECWorkerConnector = Object.create(worker, {
    saveCaches: { value: (name: string) => worker.saveCaches(name) },
    waitForSave: { value: () => worker.waitForSave() },
    getFinished: {
      value: () => {
        const { saves: _saves, failedSending: _failed, ...output } = worker.getFinished();
        return output;
      },
    },
  }) as ECWorkerConnector;
  const saver = new EmbeddingSaver(silent);
  t.is(await saver.save(GOOD), null);
  await t.throwsAsync(saver.save(BAD), { instanceOf: StoreUnavailableError });
});
