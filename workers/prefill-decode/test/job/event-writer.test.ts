import type { JobEvent } from '@epd/jobs';
import test from 'ava';
import { EventWriter } from '../../src/job/event-writer.ts';

const tokens = (choice: number, id: number, text: string): JobEvent => ({
  type: 'tokens',
  choice,
  ids: [id],
  text,
});

function recorder(accept: (call: number) => boolean = () => true) {
  const writes: (readonly JobEvent[])[] = [];
  const append = async (events: readonly JobEvent[]): Promise<boolean> => {
    writes.push(events);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return accept(writes.length);
  };
  return { writes, append };
}

const unexpected = (): never => {
  throw new Error('not expected');
};

test('what comes during a write goes with the next one, in order', async (t) => {
  const { writes, append } = recorder();
  const writer = new EventWriter(append, unexpected, unexpected);
  writer.add(tokens(0, 1, 'a'));
  writer.add(tokens(0, 2, 'b'));
  writer.add(tokens(0, 3, 'c'));
  await writer.flush();
  t.deepEqual(writes, [
    [tokens(0, 1, 'a')],
    [{ type: 'tokens', choice: 0, ids: [2, 3], text: 'bc' }],
  ]);
});

test('tokens of different answers are not merged', async (t) => {
  const { writes, append } = recorder();
  const writer = new EventWriter(append, unexpected, unexpected);
  writer.add(tokens(0, 1, 'a'));
  writer.add(tokens(0, 2, 'b'));
  writer.add(tokens(1, 3, 'c'));
  await writer.flush();
  t.deepEqual(writes[1], [tokens(0, 2, 'b'), tokens(1, 3, 'c')]);
});

test('after a refused write nothing more is written', async (t) => {
  const { writes, append } = recorder(() => false);
  const refused = Promise.withResolvers<void>();
  const writer = new EventWriter(append, refused.resolve, unexpected);
  writer.add(tokens(0, 1, 'a'));
  writer.add(tokens(0, 2, 'b'));
  await refused.promise;
  writer.add(tokens(0, 3, 'c'));
  await writer.flush();
  t.is(writes.length, 1);
  t.true(writer.refused);
});

test('a failing store is reported, not swallowed', async (t) => {
  const failure = Promise.withResolvers<unknown>();
  const writer = new EventWriter(
    () => Promise.reject(new Error('gone')),
    unexpected,
    failure.resolve,
  );
  writer.add(tokens(0, 1, 'a'));
  t.is(((await failure.promise) as Error).message, 'gone');
});
