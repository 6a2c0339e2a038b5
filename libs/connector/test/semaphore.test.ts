import test from 'ava';
import { Semaphore } from '../src/index.ts';

/** Enters with the given weight and stays until told. */
function visitor(
  semaphore: Semaphore,
  weight: number,
): { inside: () => boolean; leave: () => Promise<void> } {
  let inside = false;
  const stay = Promise.withResolvers<void>();
  const visit = semaphore.run(async () => {
    inside = true;
    await stay.promise;
  }, weight);
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
  const semaphore = new Semaphore(10);
  const [a, b, c, d] = [
    visitor(semaphore, 6),
    visitor(semaphore, 4),
    visitor(semaphore, 5),
    visitor(semaphore, 1),
  ];
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
  const semaphore = new Semaphore(10);
  const [large, small] = [visitor(semaphore, 99), visitor(semaphore, 1)];
  await turn();
  t.deepEqual([large.inside(), small.inside()], [true, false]);
  await large.leave();
  await turn();
  t.true(small.inside());
});

test('work that fails gives its room back', async (t) => {
  const semaphore = new Semaphore(1);
  await t.throwsAsync(
    semaphore.run(() => Promise.reject(new Error('boom'))),
    { message: 'boom' },
  );
  t.is(await semaphore.run(() => Promise.resolve('in')), 'in');
});

test('with a bound of one, work is done one at a time, in the order of asking', async (t) => {
  const semaphore = new Semaphore(1);
  const said: string[] = [];
  const take = async (name: string): Promise<void> => {
    const release = await semaphore.acquire();
    said.push(`${name} begins`);
    await turn();
    said.push(`${name} ends`);
    release();
  };
  await Promise.all([take('a'), take('b'), take('c')]);
  t.deepEqual(said, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
