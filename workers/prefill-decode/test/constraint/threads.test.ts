import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { DEFAULT_LIMITS, allows, type Constraint } from '@epd/constraint';
import { AnswerValidator } from '../../src/constraint/answer-validator.ts';
import { MaskLink } from '../../src/constraint/mask-link.ts';
import type { MaskConnection } from '../../src/constraint/mask-messages.ts';
import { MaskService } from '../../src/constraint/mask-service.ts';
import { ValidationLane } from '../../src/constraint/validation-lane.ts';
import { PENDING, SharedMask } from '../../src/constraint/shared-mask.ts';
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

test('without the thread no mask is made, and whoever waits gets an error within the limit', (t) => {
  const client = new MaskClient();
  t.throws(() => opened(client, choice(['a'])), { message: /does not respond/ });
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port1.close());
  client.connect({ port: port2, tokens: 2048, limitMs: 5, link: new MaskLink().memory });
  t.teardown(() => client.close());
  const held = opened(client, choice(['a']));
  t.throws(() => held.mask(), { name: 'ConstraintError' });
  t.throws(() => held.mask(), { message: /does not respond/ });
});

/** Longer than any test runs. */
const FOR_EVER_MS = 3_600_000;

test('of a mask thread that has ended nothing is waited for, and answers hear why', (t) => {
  const client = new MaskClient();
  t.teardown(() => client.close());
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port1.close());
  const link = new MaskLink();
  client.connect({ port: port2, tokens: 2048, limitMs: FOR_EVER_MS, link: link.memory });
  const held = opened(client, choice(['a']));
  link.replace();
  link.lose();
  t.throws(() => held.mask(), { code: 'constraint_replaced' });
  let looks = 0;
  t.is(
    SharedMask.allocate(8).wait(0, FOR_EVER_MS, () => looks++ === 0),
    PENDING,
  );
});

test('a thread that the runner waited for in vain is replaced', async (t) => {
  const connections: MaskConnection[] = [];
  const connectMasks = (connection: MaskConnection): void => void connections.push(connection);
  const service = new MaskService(options, { connectMasks });
  t.teardown(() => service.close());
  await service.prepare(choice(['a']));
  await service.prepare(choice(['b']));
  t.is(connections.length, 1);
  for (const { link } of connections) new MaskLink(link).lose();
  await service.prepare(choice(['a']));
  t.is(connections.length, 2);
  for (const { port } of connections) port.close();
});

test('a constraint that takes too long fails no other that is prepared at the same time', async (t) => {
  const limits = { ...DEFAULT_LIMITS, bytes: 2 ** 30, work: 2 ** 30 };
  const service = new MaskService(
    { ...options, limits, compileMs: 6_000 },
    reader(new MaskClient()),
  );
  t.teardown(() => service.close());
  const many = Array.from({ length: 50_000 }, (_, index) => `${index} `.repeat(40));
  const [slow, ...others] = await Promise.allSettled([
    service.prepare(choice(many)),
    service.prepare(choice(['a'])),
    service.prepare(choice(['b'])),
  ]);
  t.is(slow.status, 'rejected');
  t.deepEqual(
    others.map(({ status }) => status),
    ['fulfilled', 'fulfilled'],
  );
});

const ENDLESS: Constraint = { type: 'regex', pattern: '(a*)*(a*)*(a*)*b' };
const NEVER_FOUND = 'a'.repeat(40);

test('a check that never ends fails its own answer, and holds up no other', async (t) => {
  // That of the slow is never over: were the others behind it, the test would not end.
  const validator = new AnswerValidator({ quickMs: 5_000, slowMs: FOR_EVER_MS });
  t.teardown(() => validator.close());
  void validator.faultOf(ENDLESS, NEVER_FOUND);
  t.is(await validator.faultOf(choice(['yes']), 'yes'), null);
  t.is(await validator.faultOf(choice(['yes']), 'no'), 'it is none of the choices');
});

test('a check over its limit leaves its answer unchecked, and the next is checked', async (t) => {
  const lane = new ValidationLane(5_000);
  t.teardown(() => lane.close());
  const checks = [lane.check(ENDLESS, NEVER_FOUND), lane.check(choice(['yes']), 'yes')];
  t.deepEqual(await Promise.all(checks), [
    { unchecked: 'its validation timed out' },
    { fault: null },
  ]);
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
  connectMasks: (connection: MaskConnection) => client.connect(connection),
});
