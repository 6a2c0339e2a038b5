import test from 'ava';
import { serverSentEvents } from '../../local/server-sent-events.ts';

async function read(chunks: readonly string[]) {
  const bytes = chunks.map((chunk) => Buffer.from(chunk));
  return Array.fromAsync(serverSentEvents(streamOf(bytes)));
}

async function* streamOf(chunks: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

test('an event has its id, its name and its data', async (t) => {
  const events = await read(['id: 1\nevent: stage\ndata: {"ms":2}\n\n']);
  t.deepEqual(events, [{ id: '1', event: 'stage', data: '{"ms":2}' }]);
});

test('events may be cut anywhere, also inside a character', async (t) => {
  const whole = Buffer.from('event: tokens\r\ndata: né\r\n\r\ndata: 2\n\n');
  const bytes = Array.from(whole, (byte) => Buffer.from([byte]));
  const events = await Array.fromAsync(serverSentEvents(streamOf(bytes)));
  t.deepEqual(events, [
    { id: '', event: 'tokens', data: 'né' },
    { id: '', event: 'message', data: '2' },
  ]);
});

test('comments keep a stream alive and are no events', async (t) => {
  t.deepEqual(await read([': ping\n\n', ':\n\n']), []);
});

test('data of several lines is one text, and an event cut off at the end is none', async (t) => {
  const events = await read(['data: a\ndata:b\n\n', 'data: lost']);
  t.deepEqual(events, [{ id: '', event: 'message', data: 'a\nb' }]);
});
