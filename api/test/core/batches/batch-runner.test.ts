import { eventually } from '@epd/service/testing';
import test from 'ava';
import { BATCH_LOCK_MS } from '../../../src/core/batches/batch-runner.ts';
import { batchLocks, batchRunner } from '../../helpers/batch-runner.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';

/** A batch of one line that nobody answers, the tenant's name at the front of its id. */
async function addBatch({ services }: TestApi, id: string, tenant = 'local'): Promise<string> {
  const line = { custom_id: 'a', method: 'POST', url: '/v1/responses', body: { input: 'x' } };
  const file = await services.files.add({
    tenant,
    filename: 'in.jsonl',
    purpose: 'batch',
    bytes: Buffer.from(JSON.stringify(line)),
    expiresAfterS: null,
  });
  const createdAtMs = Date.now();
  await services.batches.create({
    id,
    tenant,
    endpoint: '/v1/responses',
    inputFileId: file.id,
    metadata: {},
    createdAtMs,
    expiresAtMs: createdAtMs + 3_600_000,
  });
  return id;
}

const lockKey = ({ prefix }: TestApi, id: string): string => `${prefix}:batch:${id}:lock`;

for (const [why, taken] of [
  ['another process has finished', false],
  ['another process has taken over', true],
] as const) {
  test(`a process keeps nothing of a batch that ${why}`, async (t) => {
    const api = await testApi(t);
    const { runner, stepper } = batchRunner(t, api);
    const id = await addBatch(api, 'batch_1');
    runner.start();
    t.teardown(() => runner.stop());
    await eventually(() => stepper.inputs.known > 0);
    if (taken) await api.redis.set(lockKey(api, id), 'another', 'PX', 60_000);
    else await api.services.batches.retire({ id, tenant: 'local' });
    await eventually(() => stepper.inputs.known === 0);
    t.pass();
  });
}

test('a batch of which processes die is given up after a few, and one that works is not', async (t) => {
  const api = await testApi(t);
  const { redis, services, prefix } = api;
  const { batches } = services;
  for (const id of ['batch_bad', 'batch_good']) await addBatch(api, id);
  // Each of these claimed it and died.
  for (const [index, owner] of ['a', 'b', 'c', 'd'].entries()) {
    t.is(await batchLocks(api, owner).take('batch_bad'), index + 1);
    await redis.del(lockKey(api, 'batch_bad'));
  }
  const { runner } = batchRunner(t, api);
  runner.start();
  await eventually(async () => (await batches.get('batch_bad'))?.status === 'failed');
  await eventually(async () => (await batches.get('batch_good'))?.status === 'in_progress');
  await runner.stop();
  t.is((await batches.get('batch_bad'))?.problems[0]?.code, 'batch_not_workable');
  t.false((await batches.active()).includes('batch_bad'));
  t.is(await redis.hget(`${prefix}:batch:batch_good`, 'attempts'), '0');
  t.is(await redis.exists(lockKey(api, 'batch_good')), 0, 'another process may take it at once');
});

test('a process that was held up for longer than its lock lasts takes it again as the same one', async (t) => {
  const api = await testApi(t);
  const id = await addBatch(api, 'batch_1');
  const [own, other] = [batchLocks(api), batchLocks(api)];
  for (let round = 0; round < 5; round++) {
    t.is(await own.take(id), 1);
    await api.redis.del(lockKey(api, id));
  }
  await own.works(id);
  t.is(await own.take(id), 1);
  t.is(await other.take(id), 0, 'it is held');
  await other.release(id);
  t.is(await other.take(id), 0, 'it is not theirs to release');
  await own.release(id);
  t.is(await other.take(id), 1);
});

/** Steps that last until they are released; records which are running. */
function heldSteps() {
  const under = new Map<string, () => void>();
  let [most, isOpen] = [0, false];
  const step = (batch: { id: string; tenant: string }): Promise<boolean> =>
    new Promise((resolve) => {
      under.set(batch.id, () => {
        under.delete(batch.id);
        resolve(false);
      });
      const own = [...under.keys()].filter((id) => id.startsWith(batch.tenant));
      most = Math.max(most, own.length);
      if (isOpen) under.get(batch.id)?.();
    });
  const letGo = ({ forGood = false } = {}): void => {
    isOpen = forGood;
    for (const end of under.values()) end();
  };
  return { stepper: { step, keepOnly: () => {} }, under, letGo, most: () => most };
}

test('a batch whose step is slow keeps none waiting, and loses no lock, nor do the others', async (t) => {
  const api = await testApi(t);
  const { redis } = api;
  const steps = heldSteps();
  const { runner } = batchRunner(t, api, { stepper: steps.stepper, renewMs: 20 });
  for (const n of [1, 2]) await addBatch(api, `local_${n}`);
  runner.start();
  await eventually(() => steps.under.size === 2);
  for (const id of steps.under.keys()) await redis.pexpire(lockKey(api, id), BATCH_LOCK_MS / 2);
  for (const id of steps.under.keys()) {
    await eventually(async () => (await redis.pttl(lockKey(api, id))) > BATCH_LOCK_MS / 2);
  }
  t.is(await batchLocks(api).take('local_1'), 0);
  steps.letGo({ forGood: true });
  await runner.stop();
  t.pass();
});

test('a tenant runs a few steps at a time, round robin, and does not delay other tenants', async (t) => {
  const api = await testApi(t);
  const steps = heldSteps();
  const { runner } = batchRunner(t, api, { stepper: steps.stepper });
  for (let n = 0; n < 6; n++) await addBatch(api, `alice_${n}`, 'alice');
  await addBatch(api, 'bob_0', 'bob');
  runner.start();
  await eventually(() => steps.under.has('bob_0') && steps.under.size === 5);
  const first = new Set(steps.under.keys());
  steps.letGo();
  const late = ['alice_0', 'alice_1', 'alice_2', 'alice_3', 'alice_4', 'alice_5'].filter(
    (id) => !first.has(id),
  );
  t.is(late.length, 2);
  await eventually(() => late.every((id) => steps.under.has(id)));
  t.is(steps.most(), 4);
  steps.letGo({ forGood: true });
  await runner.stop();
});

test('what has expired is not made again, and counts for its tenant no more', async (t) => {
  const api = await testApi(t);
  const { redis, prefix, services } = api;
  const { batches } = services;
  await addBatch(api, 'batch_1');
  const record = `${prefix}:batch:batch_1`;
  await redis.del(record);
  const locks = batchLocks(api);
  t.is(await locks.take('batch_1'), 0);
  await locks.works('batch_1');
  await batches.set('batch_1', { total: 1 });
  await batches.setProblems('batch_1', []);
  await batches.record('batch_1', 0, { ok: true, line: '{}' });
  t.is(await redis.exists(record, `${record}:results`), 0);
  await batches.forget('batch_1');
  const createdAtMs = Date.now();
  const times = { createdAtMs, expiresAtMs: createdAtMs + 60_000 };
  const facts = { tenant: 'local', endpoint: '/v1/responses', metadata: {}, ...times } as const;
  const request = { ...facts, inputFileId: 'file-x' };
  t.true(await batches.create({ ...request, id: 'batch_2' }, 1));
  t.false(await batches.create({ ...request, id: 'batch_3' }, 1));
  t.deepEqual(await redis.smembers(`${prefix}:batches:local:active`), ['batch_2']);
});
