import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { DEFAULT_LIMITS, allows, type Constraint } from '@epd/constraint';
import { AnswerValidator } from '../../src/constraint/answer-validator.ts';
import { MaskService } from '../../src/constraint/mask-service.ts';
import { faultOf } from '../../src/constraint/validation.ts';
import { MaskClient } from '../../src/runner/mask-client.ts';
import type { TokenConstraint } from '../../src/runner/token-constraint.ts';
import { sampling } from '../helpers/engine.ts';
import { MODEL_FOLDER } from '../helpers/golden.ts';

const choice = (choices: string[]): Constraint => ({ type: 'choice', choices });

function opened(client: MaskClient, constraint: Constraint): TokenConstraint {
  const open = {
    sequence: 1,
    choice: 0,
    sampling: sampling({ constraint }),
    prompt: [],
    endIds: [],
    generated: [],
  };
  const made = client.constraintOf(open);
  if (made === null) throw new Error('The sequence has a constraint');
  return made;
}

const options = {
  modelFolder: MODEL_FOLDER,
  limits: DEFAULT_LIMITS,
  compileMs: 20_000,
  maskMs: 5_000,
};

test('a constraint that takes too long to compile is refused, and the next one is served anew', async (t) => {
  const client = new MaskClient();
  const limits = { ...DEFAULT_LIMITS, bytes: 2 ** 30, work: 2 ** 30 };
  const slow = new MaskService({ ...options, limits, compileMs: 1 }, reader(client));
  t.teardown(() => slow.close());
  // Seconds of work, of which the first is never over in a millisecond.
  const many = Array.from({ length: 20_000 }, (_, index) => `${index} `.repeat(20));
  t.like(await t.throwsAsync(slow.prepare(choice(many))), { code: 'constraint_timeout' });
  const service = new MaskService(options, reader(client));
  t.teardown(() => service.close());
  await service.prepare(choice(['!']));
  const mask = opened(client, choice(['!'])).mask();
  const allowed = Array.from({ length: 2048 }, (_, id) => id).filter(
    (id) => mask && allows(mask, id),
  );
  t.deepEqual(allowed, [7]);
});

test('without the thread no mask is made, and whoever waits is told within the limit', (t) => {
  const client = new MaskClient();
  t.throws(() => opened(client, choice(['a'])), { message: /does not respond/ });
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port1.close());
  client.connect(port2, 2048, 5);
  t.teardown(() => client.close());
  const held = opened(client, choice(['a']));
  t.throws(() => held.mask(), { name: 'ConstraintError' });
  t.throws(() => held.mask(), { message: /does not respond/ });
});

test('an answer whose check never ends is called unchecked, and the next is checked', async (t) => {
  const validator = new AnswerValidator(2_000);
  t.teardown(() => validator.close());
  const endless: Constraint = { type: 'regex', pattern: '(a*)*(a*)*(a*)*b' };
  t.is(await validator.faultOf(endless, 'a'.repeat(40)), 'its validation timed out');
  t.is(await validator.faultOf(choice(['yes']), 'yes'), null);
  t.is(await validator.faultOf(choice(['yes']), 'no'), 'it is none of the choices');
});

const json = (schema: unknown): Constraint => ({ type: 'json', schema, ordered: false });

test('answers are checked by their schema, whichever draft it is of', (t) => {
  const fourth = {
    $schema: 'http://json-schema.org/draft-04/schema#',
    minimum: 1,
    exclusiveMinimum: true,
  };
  t.is(faultOf(json(fourth), '2'), null);
  t.regex(faultOf(json(fourth), '1') ?? '', /must be > 1/);
  const newest = { type: 'array', prefixItems: [{ type: 'string' }], items: false };
  t.is(faultOf(json(newest), '["a"]'), null);
  t.regex(faultOf(json(newest), '["a", 1]') ?? '', /1 items/);
  t.regex(faultOf(json({ type: 'string', format: 'date' }), '"2023-02-30"') ?? '', /format/);
  t.is(faultOf(json({ multipleOf: 0.1 }), '0.3'), null);
  t.regex(faultOf(json({}), '{') ?? '', /JSON/);
});

/** The client in place of the runner that hands it the port. */
const reader = (client: MaskClient) => ({
  connectMasks: (...args: Parameters<MaskClient['connect']>) => client.connect(...args),
});
