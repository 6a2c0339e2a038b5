import {
  EmbeddingStore,
  MemoryStore,
  StoreECWorker,
  StoreUnavailableError,
  createECConnector,
  parseTransferConfig,
  type ECConnector,
  type ECConnectorOutput,
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

async function connectorOn(store: MemoryStore): Promise<ECConnector> {
  const config = parseTransferConfig({ ecConnector: 'StoreECConnector', ecRole: 'ec_producer' });
  const embeddings = new EmbeddingStore({ store });
  const connector = await createECConnector(config, { embeddings, fingerprint: 'f', width: 4 });
  const cache: EncoderCache = new Map();
  for (const name of [GOOD, BAD]) {
    cache.set(name, { rows: 1, width: 4, dtype: 'F32', data: new Uint8Array(16) });
  }
  connector.worker.registerCaches(cache);
  return connector;
}

/** The same connector, with each call and its answer shown to `look`, whose answer is given. */
function through(
  worker: ECWorkerConnector,
  look: (name: string, answer: unknown) => unknown,
): ECWorkerConnector {
  return new Proxy(worker, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => look(String(name), method.apply(target, args));
    },
  });
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
  const connector = await connectorOn(store);
  t.true(connector.worker instanceof StoreECWorker);
  const file = await new EmbeddingSaver(connector).save(GOOD);
  const stat = await store.stat(`embeddings/${GOOD}/encoder_cache.safetensors`);
  t.deepEqual(file, { bytes: stat!.bytes, etag: stat!.etag });
});

test('a connector that reports no single items is believed as a whole', async (t) => {
  const { scheduler, worker } = await connectorOn(new PartlyAwayStore());
  const silent = through(worker, (name, answer) => {
    if (name !== 'getFinished') return answer;
    const { saves: _saves, failedSending: _failed, ...output } = answer as ECConnectorOutput;
    return output;
  });
  const saver = new EmbeddingSaver({ scheduler, worker: silent });
  t.is(await saver.save(GOOD), null);
  await t.throwsAsync(saver.save(BAD), { instanceOf: StoreUnavailableError });
});

test('saves begin and end within steps of the connector, and do not wait for those before', async (t) => {
  const { scheduler, worker } = await connectorOn(new MemoryStore());
  const calls: string[] = [];
  const noting = through(worker, (name, answer) => {
    calls.push(name);
    return answer;
  });
  const saver = new EmbeddingSaver({ scheduler, worker: noting });
  await Promise.all([saver.save(GOOD), saver.save(BAD)]);
  t.deepEqual(calls.slice(0, 5), [
    'bindConnectorMetadata',
    'startLoadCaches',
    'saveCaches',
    'waitForSave',
    'saveCaches',
  ]);
  t.deepEqual(calls.slice(-2), ['getFinished', 'clearConnectorMetadata']);
});

test('an item that the encoder cache does not hold fails alone', async (t) => {
  const saver = new EmbeddingSaver(await connectorOn(new MemoryStore()));
  const [missing, good] = await Promise.allSettled([saver.save('c'.repeat(64)), saver.save(GOOD)]);
  t.is(missing?.status, 'rejected');
  t.is(good?.status, 'fulfilled');
});
