import { RedisModelRegistry } from '@epd/fleet';
import test from 'ava';
import { png } from '../../helpers/pictures.ts';
import { jsonOf, post, question } from '../../helpers/requests.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';
import { testApi } from '../../helpers/test-api.ts';

test('the fleet’s state is reported: live workers, queues, and which pages there are', async (t) => {
  const { app, redis, prefix } = await testApi(t, { index: true });
  const worker = await new RedisModelRegistry(redis, prefix).announce('encoder', 'w', TEST_CARD);
  t.teardown(() => worker.stop());
  await post(app, '/v1/jobs', question('?', png()));
  t.deepEqual(jsonOf(await app.inject('/v1/fleet')), {
    object: 'fleet',
    jobs: 1,
    models: [
      { id: 'tiny-vlm', encoders: 1, decoders: 0, encodes_waiting: 1, generates_waiting: 1 },
    ],
    pages: { docs: '/docs/', gallery: '/gallery' },
  });
});

test('where keys are required the fleet’s state is for those who have one', async (t) => {
  const { app } = await testApi(t, { apiKeys: ['alice:alice-key-0123456789'] });
  t.is((await app.inject('/v1/fleet')).statusCode, 401);
});
