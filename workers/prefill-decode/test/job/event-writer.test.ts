import type { JobEvent } from '@epd/jobs';
import test from 'ava';
import { EventWriter } from '../../src/job/event-writer.ts';
import { WritePace } from '../../src/job/write-pace.ts';

const PACE = new WritePace(() => 1);

const tokens = (choice: number, id: number, text: string): JobEvent => ({
  type: 'tokens',
  choice,
  ids: [id],
  text,
});

const LOADED: JobEvent = { type: 'stage', stage: 'loaded', ms: 1 };
const PREFILL: JobEvent = { type: 'stage', stage: 'prefill', ms: 1 };

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

const said = () => new Promise((resolve) => setImmediate(resolve));

test('what comes at once is one write; what comes later waits, and goes with the ending', async (t) => {
  const { writes, append } = recorder();
  const writer = new EventWriter(append, PACE, unexpected, unexpected);
  writer.add(PREFILL);
  writer.add(tokens(0, 1, 'a'));
  await said();
  writer.add(tokens(0, 2, 'b'));
  writer.add(tokens(0, 3, 'c'));
  t.deepEqual(await writer.close(), [{ type: 'tokens', choice: 0, ids: [2, 3], text: 'bc' }]);
  t.deepEqual(writes, [[PREFILL, tokens(0, 1, 'a')]]);
});

test('stages wait for a beat, and the first tokens take them along at once', async (t) => {
  const { writes, append } = recorder();
  const beats: (() => void)[] = [];
  const pace = { gapMs: 15, beat: () => new Promise<void>((resolve) => beats.push(resolve)) };
  const writer = new EventWriter(append, pace, unexpected, unexpected);
  writer.add(LOADED);
  await said();
  t.deepEqual(writes, []);
  beats[0]?.();
  while (writes.length < 1) await said();
  t.deepEqual(writes, [[LOADED]]);
  writer.add(PREFILL);
  while (beats.length < 2) await said();
  writer.add(tokens(0, 1, 'a'));
  while (writes.length < 2) await said();
  t.deepEqual(writes[1], [PREFILL, tokens(0, 1, 'a')]);
  t.deepEqual(await writer.close(), []);
});

test('tokens that wait are written when their gap is over', async (t) => {
  const { writes, append } = recorder();
  const writer = new EventWriter(append, PACE, unexpected, unexpected);
  writer.add(tokens(0, 1, 'a'));
  await said();
  writer.add(tokens(0, 2, 'b'));
  writer.add(tokens(0, 3, 'c'));
  while (writes.length < 2) await said();
  t.deepEqual(writes[1], [{ type: 'tokens', choice: 0, ids: [2, 3], text: 'bc' }]);
});

test('tokens of different answers are not merged', async (t) => {
  const { append } = recorder();
  const writer = new EventWriter(append, PACE, unexpected, unexpected);
  writer.add(tokens(0, 1, 'a'));
  writer.add(tokens(0, 2, 'b'));
  writer.add(tokens(1, 3, 'c'));
  t.deepEqual(await writer.close(), [
    { type: 'tokens', choice: 0, ids: [1, 2], text: 'ab' },
    tokens(1, 3, 'c'),
  ]);
});

test('after a refused write, and once it is closed, nothing more is written', async (t) => {
  const { writes, append } = recorder(() => false);
  const refused = Promise.withResolvers<void>();
  const writer = new EventWriter(append, PACE, refused.resolve, unexpected);
  writer.add(tokens(0, 1, 'a'));
  await refused.promise;
  writer.add(tokens(0, 2, 'b'));
  t.true(writer.refused);
  t.deepEqual(await writer.close(), []);
  writer.add(tokens(0, 3, 'c'));
  await said();
  t.is(writes.length, 1);
});

test('a failing store is reported, not swallowed', async (t) => {
  const failure = Promise.withResolvers<unknown>();
  const writer = new EventWriter(
    () => Promise.reject(new Error('gone')),
    PACE,
    unexpected,
    failure.resolve,
  );
  writer.add(tokens(0, 1, 'a'));
  t.is(((await failure.promise) as Error).message, 'gone');
});

test('after a write that failed nothing more is written, and nothing is left for the ending', async (t) => {
  const failed: unknown[] = [];
  const lost = new Error('the way to Redis broke');
  const writer = new EventWriter(
    () => Promise.reject(lost),
    PACE,
    unexpected,
    (error) => failed.push(error),
  );
  writer.add(tokens(0, 1, 'a'));
  await said();
  writer.add(tokens(0, 2, 'b'));
  t.deepEqual(await writer.close(), []);
  t.deepEqual(failed, [lost]);
  t.true(writer.refused);
});

test('an ending waits for no gap, also when its last tokens came just before it', async (t) => {
  const writer = new EventWriter(async () => true, PACE, unexpected, unexpected);
  writer.add(tokens(0, 1, 'a'));
  await said();
  writer.add(tokens(0, 2, 'b'));
  let rest: readonly JobEvent[] | null = null;
  void writer.close().then((events) => (rest = events));
  await said();
  t.deepEqual(rest, [tokens(0, 2, 'b')]);
});
