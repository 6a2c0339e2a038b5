import test from 'ava';
import { Inbox } from '../../../src/core/streams/inbox.ts';

const HOUR_MS = 3_600_000;

test('a wait ends at once when something has come, and as soon as something comes', async (t) => {
  const inbox = new Inbox<number>(new AbortController().signal);
  inbox.push(1);
  await inbox.wait(HOUR_MS);
  t.deepEqual(inbox.takeAll(), [1]);
  const waiting = inbox.wait(HOUR_MS);
  inbox.push(2);
  inbox.push(3);
  await waiting;
  t.deepEqual(inbox.takeAll(), [2, 3]);
  inbox.close();
});

test('a wait ends after its time, every time', async (t) => {
  const inbox = new Inbox<number>(new AbortController().signal);
  for (const ms of [5, 5, 1]) await inbox.wait(ms);
  t.deepEqual(inbox.takeAll(), []);
  inbox.close();
});

test('a wait ends when it is aborted, and none begins after', async (t) => {
  const controller = new AbortController();
  const inbox = new Inbox<number>(controller.signal);
  const waiting = inbox.wait(HOUR_MS);
  controller.abort();
  await waiting;
  await inbox.wait(HOUR_MS);
  t.deepEqual(inbox.takeAll(), []);
  inbox.close();
});
