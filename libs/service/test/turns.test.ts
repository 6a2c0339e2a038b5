import test from 'ava';
import { Turns } from '../src/index.ts';

test('turns are taken one at a time, in the order of asking', async (t) => {
  const turns = new Turns();
  const said: string[] = [];
  const take = async (name: string): Promise<void> => {
    const end = await turns.take();
    said.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    said.push(`${name} ends`);
    end();
  };
  await Promise.all([take('a'), take('b'), take('c')]);
  t.deepEqual(said, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
