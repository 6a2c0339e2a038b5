import { FolderStore } from '@epd/connector';
import { FleetStore } from '@epd/fleet';
import { connectRedis, readConfig } from '@epd/service';
import { tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { doctorConfig } from '../../doctor/config.ts';
import { checkFleetStore } from '../../doctor/fleet-store.ts';

test('the doctor reports whether its store is the one that the fleet uses', async (t) => {
  const [fleet, stray] = [await tempFolder(t), await tempFolder(t)];
  const prefix = testPrefix();
  const look = (folder: string) =>
    checkFleetStore(
      readConfig(doctorConfig, {
        EPD_REDIS_URL: testRedisUrl(),
        EPD_PREFIX: prefix,
        EPD_STORE_DIR: folder,
      }),
    );
  t.like(await look(fleet), [
    { level: 'ok', found: 'no process of a fleet runs that could use another' },
  ]);
  const redis = connectRedis(testRedisUrl(), { name: 'test' });
  t.teardown(() => redis.disconnect());
  const store = new FolderStore({ root: fleet });
  await new FleetStore({ redis, prefix, store, name: 'the folder of the fleet' }).look();
  t.like(await look(fleet), [{ level: 'ok', found: 'the same as here' }]);
  const [finding] = await look(stray);
  t.is(finding?.level, 'fail');
  t.regex(finding?.found ?? '', new RegExp(`${stray}.*the folder of the fleet`));
});
