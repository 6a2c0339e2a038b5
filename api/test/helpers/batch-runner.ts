import { randomUUID } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { BatchLocks } from '../../src/core/batches/batch-locks.ts';
import { BATCH_LOCK_MS, BatchRunner } from '../../src/core/batches/batch-runner.ts';
import { BatchStepper } from '../../src/core/batches/batch-stepper.ts';
import { BatchLineRunner } from '../../src/protocols/batches/line-runner.ts';
import type { TestApi } from './test-api.ts';

type RunnerParts = ConstructorParameters<typeof BatchRunner>[0];

/** The locks of a process. */
export const batchLocks = ({ redis, prefix }: TestApi, owner: string = randomUUID()): BatchLocks =>
  new BatchLocks(redis, prefix, { owner, ms: BATCH_LOCK_MS });

/** What an API process does for batches; it is to be started. */
export function batchRunner(
  t: ExecutionContext,
  api: TestApi,
  parts: Partial<Pick<RunnerParts, 'stepper' | 'renewMs'>> = {},
): { runner: BatchRunner; stepper: BatchStepper } {
  const { services } = api;
  const stepper = new BatchStepper({ ...services, lines: new BatchLineRunner(services) });
  const runner = new BatchRunner({
    batches: services.batches,
    locks: batchLocks(api),
    stepper,
    onError: (error) => t.log(error),
    ...parts,
  });
  return { runner, stepper };
}
