import test from 'ava';
import { TokenGate } from '../../src/batching/token-gate.ts';

/** Enters with the given tokens and stays until told. */
function visitor(
  gate: TokenGate,
  tokens: number,
): { inside: () => boolean; leave: () => Promise<void> } {
  let inside = false;
  const stay = Promise.withResolvers<void>();
  const visit = gate.within(tokens, async () => {
    inside = true;
    await stay.promise;
  });
  return {
    inside: () => inside,
    leave: async () => {
      stay.resolve();
      await visit;
    },
  };
}

const turn = (): Promise<void> => new Promise(setImmediate);

test('as many enter as the bound allows, the others in order', async (t) => {
  const gate = new TokenGate(10);
  const [a, b, c, d] = [visitor(gate, 6), visitor(gate, 4), visitor(gate, 5), visitor(gate, 1)];
  await turn();
  t.deepEqual([a.inside(), b.inside(), c.inside(), d.inside()], [true, true, false, false]);
  await b.leave();
  await turn();
  t.false(c.inside());
  t.false(d.inside(), 'a small one does not pass a large one by');
  await a.leave();
  await turn();
  t.true(c.inside());
  t.true(d.inside());
});

test('what is over the bound enters alone', async (t) => {
  const gate = new TokenGate(10);
  const [large, small] = [visitor(gate, 99), visitor(gate, 1)];
  await turn();
  t.deepEqual([large.inside(), small.inside()], [true, false]);
  await large.leave();
  await turn();
  t.true(small.inside());
});

test('work that fails gives its room back', async (t) => {
  const gate = new TokenGate(1);
  await t.throwsAsync(
    gate.within(1, () => Promise.reject(new Error('boom'))),
    { message: 'boom' },
  );
  t.is(await gate.within(1, () => Promise.resolve('in')), 'in');
});
