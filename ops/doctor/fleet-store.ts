import { createObjectStore } from '@epd/connector';
import { fleetStoreKey, readStoreId } from '@epd/fleet';
import { connectRedis, storeName, storeOptions } from '@epd/service';
import type { DoctorConfig } from './config.ts';
import { fail, guarded, ok, type Finding } from './finding.ts';

const CHECK = 'store of the fleet';

/** Whether the store of these settings is the one that the running fleet uses. Writes nothing. */
export function checkFleetStore(config: DoctorConfig): Promise<Finding[]> {
  return guarded(CHECK, 'See the findings for Redis and the store', async () => {
    const redis = connectRedis(config.redisUrl, { name: 'doctor' });
    const options = storeOptions(config);
    const store = await createObjectStore(options);
    try {
      const [id, name] = await redis.hmget(fleetStoreKey(config.prefix), 'id', 'name');
      if (!id) return [ok(CHECK, 'no process of a fleet runs that could use another')];
      return [(await readStoreId(store)) === id ? same() : other(storeName(options), name ?? '')];
    } finally {
      redis.disconnect();
      await store.close();
    }
  });
}

const same = (): Finding => ok(CHECK, 'the same as here');

const other = (here: string, fleet: string): Finding =>
  fail(
    CHECK,
    `here it is ${here}; the fleet uses ${fleet}`,
    'Give every process that shares EPD_REDIS_URL and EPD_PREFIX the same store: images and embeddings would not be found',
  );
