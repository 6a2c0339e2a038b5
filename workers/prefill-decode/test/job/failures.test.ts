import test from 'ava';
import { ConstraintServiceError } from '../../src/constraint/errors.ts';
import { EngineError } from '../../src/engine/index.ts';
import { asJobError, releaseFor } from '../../src/job/failures.ts';

test('what may have been the job’s doing counts as a loss, what is another’s does not', (t) => {
  t.is(releaseFor('constraint_lost'), 'broken');
  t.is(releaseFor('step_failed'), 'broken');
  t.is(releaseFor('constraint_replaced'), 'refused');
  t.is(releaseFor('engine_full'), 'refused');
});

test('a job’s own fault is reported with its code, unknown errors are retried', (t) => {
  const refused = new ConstraintServiceError('constraint_timeout', 'It took too long');
  t.like(asJobError(refused), { code: 'constraint_timeout', retryable: false });
  t.like(asJobError(new EngineError('prompt_too_long', 'Too long')), { code: 'prompt_too_long' });
  t.is(releaseFor('constraint_timeout'), null);
  t.is(asJobError(new Error('unforeseen')), null);
});
