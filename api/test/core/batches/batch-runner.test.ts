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
    await eventually(() => stepper.inputs.keptBytes > 0);
    if (taken) await redis.set(`${prefix}:batch:${id}:lock`, 'another', 'PX', 60_000);
    else await services.batches.retire(id);
    await eventually(() => stepper.inputs.keptBytes === 0);
    t.pass();
  });
}
