import test from 'ava';
import { Type } from 'typebox';
import { fleetConfig, readConfig } from '@epd/service';

const schema = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...fleetConfig.service,
  ...fleetConfig.metrics,
});

test('the shared settings have a default for everything that a fleet on one machine needs', (t) => {
  const config = readConfig(schema, {});
  t.like(config, {
    redisUrl: 'redis://127.0.0.1:6379',
    prefix: 'epd',
    store: 'folder',
    logLevel: 'info',
    metricsHost: '127.0.0.1',
    metricsPort: 0,
  });
});

test('a Redis URL of another scheme is refused without showing its password', (t) => {
  const error = t.throws(() => readConfig(schema, { EPD_REDIS_URL: 'http://:pass@host' }));
  t.regex(error.message, /EPD_REDIS_URL: must be a URL like redis:/);
  t.notRegex(error.message, /pass@/);
});

test('a prefix cannot hold the colon that separates the parts of a key', (t) => {
  t.throws(() => readConfig(schema, { EPD_PREFIX: 'a:b' }), { message: /EPD_PREFIX/ });
  t.is(readConfig(schema, { EPD_PREFIX: '{epd}' }).prefix, '{epd}');
});
