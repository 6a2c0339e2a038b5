import { eventually } from '@epd/service/testing';
import test from 'ava';
import { BatchLineRunner } from '../../../src/protocols/batches/line-runner.ts';
import { BatchRunner } from '../../../src/core/batches/batch-runner.ts';
import { BatchStepper } from '../../../src/core/batches/batch-stepper.ts';
import { testApi } from '../../helpers/test-api.ts';

for (const [why, taken] of [
  ['another process has finished', false],
  ['another process has taken over', true],
] as const) {
  test(`a process keeps nothing of a batch that ${why}`, async (t) => {
    const { services, redis, prefix } = await testApi(t);
    const stepper = new BatchStepper({ ...services, lines: new BatchLineRunner(services) });
    const runner = new BatchRunner(services.batches, stepper, (error) => t.log(error));
    const line = { custom_id: 'a', method: 'POST', url: '/v1/responses', body: { input: 'x' } };
    const file = await services.files.add({
      tenant: 'local',
      filename: 'in.jsonl',
      purpose: 'batch',
      bytes: Buffer.from(JSON.stringify(line)),
      expiresAfterS: null,
    });
    const id = 'batch_1';
    const createdAtMs = Date.now();
    await services.batches.create({
      id,
      tenant: 'local',
      endpoint: '/v1/responses',
      inputFileId: file.id,
      metadata: {},
      createdAtMs,
      expiresAtMs: createdAtMs + 60_000,
    });
    runner.start();
    t.teardown(() => runner.stop());
    await eventually(() => stepper.inputs.known > 0);
    if (taken) await redis.set(`${prefix}:batch:${id}:lock`, 'another', 'PX', 60_000);
    else await services.batches.retire({ id, tenant: 'local' });
    await eventually(() => stepper.inputs.known === 0);
    t.pass();
  });
}

test('a batch of which processes die is given up after a few, and one that works is not', async (t) => {
  const { services, redis, prefix } = await testApi(t);
  const { batches } = services;
  const createdAtMs = Date.now();
  const times = { createdAtMs, expiresAtMs: createdAtMs + 60_000 };
  const facts = { tenant: 'local', endpoint: '/v1/responses', metadata: {}, ...times } as const;
  const line = { custom_id: 'a', method: 'POST', url: '/v1/responses', body: { input: 'x' } };
  const bytes = Buffer.from(JSON.stringify(line));
  const file = { tenant: 'local', filename: 'a', purpose: 'batch', expiresAfterS: null } as const;
  const { id: inputFileId } = await services.files.add({ ...file, bytes });
  for (const id of ['batch_bad', 'batch_good']) await batches.create({ ...facts, id, inputFileId });
  // Each of these took it, and was never heard of again.
  for (const owner of ['a', 'b', 'c', 'd']) {
    t.true((await batches.lock('batch_bad', owner, 60_000)).taken);
    await redis.del(`${prefix}:batch:batch_bad:lock`);
  }
  const stepper = new BatchStepper({ ...services, lines: new BatchLineRunner(services) });
  const runner = new BatchRunner(batches, stepper, (error) => t.log(error));
  runner.start();
  await eventually(async () => (await batches.get('batch_bad'))?.status === 'failed');
  await eventually(async () => (await batches.get('batch_good'))?.status === 'in_progress');
  await runner.stop();
  t.is((await batches.get('batch_bad'))?.problems[0]?.code, 'batch_not_workable');
  t.false((await batches.active()).includes('batch_bad'));
  t.is(await redis.hget(`${prefix}:batch:batch_good`, 'attempts'), '0');
});
