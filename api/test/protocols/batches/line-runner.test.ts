import test from 'ava';
import type { Acceptor } from '../../../src/core/accept/acceptor.ts';
import type { ReadLine } from '../../../src/core/batches/batch-lines.ts';
import type { Batch } from '../../../src/core/batches/batch-record.ts';
import { ApiError } from '../../../src/http/errors.ts';
import { MemoryBudget } from '../../../src/http/memory-budget.ts';
import { BatchLineRunner } from '../../../src/protocols/batches/line-runner.ts';
import { testApi } from '../../helpers/test-api.ts';

const batchCalled = (id: string): Batch => ({
  id,
  tenant: 'alice',
  endpoint: '/v1/responses',
  inputFileId: 'file-x',
  metadata: {},
  createdAtMs: 0,
  expiresAtMs: 0,
  status: 'in_progress',
  atMs: {},
  total: 2,
  completed: 0,
  failed: 0,
  outputFileId: null,
  errorFileId: null,
  problems: [],
});

const MEMORY = new MemoryBudget(1_000).open('alice');
const read: ReadLine = (work) =>
  Promise.resolve(work({ customId: 'a', body: { input: 'x' } }, MEMORY));

for (const [retryAfterS, attempts] of [
  [3_600, 1],
  [0, 2],
] as const) {
  test(`lines of a batch that is to come again in ${retryAfterS} s are tried ${attempts} times`, async (t) => {
    const { services } = await testApi(t);
    let asked = 0;
    const accept = (): Promise<never> => {
      asked += 1;
      return Promise.reject(new ApiError('rate_limited', 'More than may be', { retryAfterS }));
    };
    const acceptor = { accept } as unknown as Acceptor;
    const runner = new BatchLineRunner({ ...services, acceptor });
    t.is(await runner.advance(batchCalled('batch_1'), 0, read, 1_000), 'waiting');
    t.is(await runner.advance(batchCalled('batch_1'), 1, read, 1_000), 'waiting');
    t.is(asked, attempts);
    await runner.advance(batchCalled('batch_2'), 0, read, 1_000);
    t.is(asked, attempts + 1, 'another batch may have another cause');
  });
}
