import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import test from 'ava';
import { whenOver } from '../../src/http/when-over.ts';

const response = (closed: boolean) =>
  Object.assign(new EventEmitter(), { closed }) as unknown as ServerResponse;

test('the end is called once, whether the answer is sent or its connection goes first', (t) => {
  const raw = response(false);
  let calls = 0;
  whenOver({ raw }, () => (calls += 1));
  t.is(calls, 0);
  raw.emit('finish');
  raw.emit('close');
  t.is(calls, 1);
});

test('of a connection that is gone already the end is called at once', (t) => {
  let calls = 0;
  whenOver({ raw: response(true) }, () => (calls += 1));
  t.is(calls, 1);
});

test('whoever asks for the end of an answer, it is listened to once', (t) => {
  const raw = response(false);
  const called: number[] = [];
  for (let i = 0; i < 20; i += 1) whenOver({ raw }, () => called.push(i));
  t.is(raw.listenerCount('close'), 1);
  raw.emit('close');
  t.deepEqual(
    called,
    Array.from({ length: 20 }, (_, i) => i),
  );
});
