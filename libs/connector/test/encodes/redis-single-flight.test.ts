import { keysWithTtl, testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { RedisSingleFlight } from '../../src/index.ts';
import { hashOf } from '../helpers/embeddings.ts';
import { until } from '../helpers/until.ts';

const CAT = hashOf('cat');
const BAD_IMAGE = { code: 'bad_image', message: 'Not an image', retryable: false };

const flightOf = (t: ExecutionContext) => new RedisSingleFlight(testRedis(t));

test('the first to join leads, the others wait with it', async (t) => {
  const flight = flightOf(t);
  const joins = await Promise.all(
    Array.from({ length: 20 }, (_, index) => flight.join(CAT, `waiter-${index}`)),
  );
  t.is(joins.filter(({ leader }) => leader).length, 1);
  t.is(new Set(joins.map(({ generation }) => generation)).size, 1);
  t.is((await flight.waiters(CAT)).length, 20);
  t.deepEqual(await flight.look(CAT, joins[0]!.generation), { state: 'pending' });
});

test('joining twice is joining once', async (t) => {
  const flight = flightOf(t);
  const first = await flight.join(CAT, 'a');
  const second = await flight.join(CAT, 'a');
  t.true(first.leader);
  t.false(second.leader);
  t.is(second.generation, first.generation);
  t.deepEqual(await flight.waiters(CAT), ['a']);
});

test('whoever waited is named when the flight settles', async (t) => {
  const flight = flightOf(t);
  const { generation } = await flight.join(CAT, 'a');
  await flight.join(CAT, 'b');
  t.deepEqual((await flight.begin(CAT, 'encoder')).waiters, ['a', 'b']);
  t.deepEqual((await flight.settle(CAT, { state: 'stored' })).waiters, ['a', 'b']);
  t.deepEqual(await flight.look(CAT, generation), { state: 'stored' });
  t.deepEqual(await flight.waiters(CAT), []);
});

test('those who joined before a failure receive it, and the next starts afresh', async (t) => {
  const flight = flightOf(t);
  const { generation } = await flight.join(CAT, 'a');
  await flight.begin(CAT, 'encoder');
  await flight.settle(CAT, { state: 'failed', error: BAD_IMAGE });
  t.deepEqual(await flight.look(CAT, generation), { state: 'failed', error: BAD_IMAGE });

  const next = await flight.join(CAT, 'b');
  t.true(next.leader);
  t.true(next.generation > generation);
  t.deepEqual(await flight.look(CAT, next.generation), { state: 'pending' });
  t.deepEqual(await flight.look(CAT, generation), { state: 'failed', error: BAD_IMAGE });

  await flight.settle(CAT, { state: 'stored' });
  t.deepEqual(await flight.look(CAT, next.generation), { state: 'stored' });
  t.deepEqual(await flight.look(CAT, generation), { state: 'failed', error: BAD_IMAGE });
});

test('looking at a flight that is gone says so', async (t) => {
  const flight = flightOf(t);
  t.deepEqual(await flight.look(CAT, 0), { state: 'idle' });
  t.deepEqual(await flight.look(CAT, 12_345), { state: 'idle' });
});

test('the last to leave an unbegun flight ends it', async (t) => {
  const flight = flightOf(t);
  const { generation } = await flight.join(CAT, 'a');
  await flight.join(CAT, 'b');
  t.deepEqual(await flight.leave(CAT, 'a'), { remaining: 1, abandoned: false });
  t.deepEqual(await flight.leave(CAT, 'never joined'), { remaining: 1, abandoned: false });
  t.deepEqual(await flight.leave(CAT, 'b'), { remaining: 0, abandoned: true });
  t.deepEqual(await flight.leave(CAT, 'late'), { remaining: 0, abandoned: true });
  t.deepEqual(await flight.look(CAT, generation), { state: 'idle' });
  t.true((await flight.join(CAT, 'c')).leader);
});

test('an encode that has begun continues without waiters', async (t) => {
  const flight = flightOf(t);
  const { generation } = await flight.join(CAT, 'a');
  await flight.begin(CAT, 'encoder');
  t.deepEqual(await flight.leave(CAT, 'a'), { remaining: 0, abandoned: false });
  t.deepEqual(await flight.look(CAT, generation), { state: 'pending' });
  t.false((await flight.join(CAT, 'b')).leader);
});

test('deaths count how often an item was claimed and never settled', async (t) => {
  const flight = flightOf(t);
  await flight.join(CAT, 'a');
  t.is((await flight.begin(CAT, 'encoder-1')).deaths, 0);
  t.is((await flight.begin(CAT, 'encoder-2')).deaths, 1);
  t.is((await flight.begin(CAT, 'encoder-3')).deaths, 2);
  await flight.settle(CAT, { state: 'stored' });
  t.is((await flight.begin(CAT, 'encoder-4')).deaths, 0);
});

test('an item that is returned is no death', async (t) => {
  const flight = flightOf(t);
  await flight.join(CAT, 'a');
  await flight.begin(CAT, 'encoder-1');
  await flight.handBack(CAT, 'encoder-1');
  t.is((await flight.begin(CAT, 'encoder-2')).deaths, 0);
  await flight.handBack(CAT, 'somebody else');
  t.is((await flight.begin(CAT, 'encoder-3')).deaths, 1);
});

test('an encoder may claim an item whose flight was lost', async (t) => {
  const flight = flightOf(t);
  t.deepEqual(await flight.begin(CAT, 'encoder'), { deaths: 0, waiters: [], refusal: null });
  t.deepEqual(await flight.settle(CAT, { state: 'stored' }), { waiters: [] });
  t.deepEqual(await flight.settle(hashOf('never seen'), { state: 'stored' }), { waiters: [] });
});

test('a waiter that is never seen again is given up', async (t) => {
  // A busy machine may not get to the next look for a second.
  const flight = new RedisSingleFlight({ ...testRedis(t), waiterTtlMs: 2_500 });
  const { generation } = await flight.join(CAT, 'dead');
  await flight.join(CAT, 'alive');
  await until(async () => {
    await flight.look(CAT, generation, 'alive');
    return !(await flight.waiters(CAT)).includes('dead');
  });
  t.deepEqual(await flight.waiters(CAT), ['alive']);
});

test('every key expires', async (t) => {
  const connection = testRedis(t);
  const flight = new RedisSingleFlight(connection);
  const items = ['joined', 'begun', 'left', 'handed back', 'stored', 'failed', 'unknown'].map(
    hashOf,
  );
  const [, begun, left, handedBack, stored, failed, unknown] = items as [string, ...string[]];
  for (const item of items.slice(0, -1)) await flight.join(item, 'a');
  for (const item of [begun, handedBack, stored, failed]) await flight.begin(item!, 'encoder');
  await flight.leave(left!, 'a');
  await flight.handBack(handedBack!, 'encoder');
  await flight.settle(stored!, { state: 'stored' });
  await flight.settle(failed!, { state: 'failed', error: BAD_IMAGE });
  await flight.settle(unknown!, { state: 'failed', error: BAD_IMAGE });
  const ttls = await keysWithTtl(connection.redis, connection.prefix);
  t.true(ttls.size >= items.length);
  for (const [key, ttl] of ttls) t.true(ttl > 0, key);
});
