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
