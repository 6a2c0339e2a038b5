import { once } from 'node:events';
import { connect } from 'node:net';
import { memoryOf } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { listeningApi, type ListeningApi } from '../helpers/api-process.ts';

const MIB = 2 ** 20;
const KEY = 'a-key-of-the-tests-0001';
const json = { 'content-type': 'application/json' };
const signed = { ...json, authorization: `Bearer ${KEY}` };
/** What V8 gives itself in a container of 512 MiB. */
const SMALL_HEAP = ['--max-old-space-size=256'];
const SMALL_MIB = 512;

const keyed = (t: ExecutionContext, env: Record<string, string> = {}): Promise<ListeningApi> =>
  listeningApi(t, { EPD_API_KEYS: `alice:${KEY}`, EPD_LOG_LEVEL: 'warn', ...env }, SMALL_HEAP);

/** Status, or the code of the error when the connection ended first. */
async function send(url: string, body: string, headers: Record<string, string>): Promise<unknown> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return (error as { cause?: { code?: unknown } }).cause?.code ?? error;
  }
}

test('bodies of strangers, and to paths that there are not, are never held', async (t) => {
  const api = await keyed(t);
  const objects = `[${'{},'.repeat(9 * MIB)}{}]`;
  const before = await memoryOf(api.child);
  t.is(await send(`${api.url}/v1/nothing`, objects, json), 404);
  t.is(await send(`${api.url}/v1/nothing`, objects, signed), 404);
  t.is(await send(`${api.url}/v1/jobs`, objects, json), 401);
  t.is(await send(`${api.url}/v1/files`, objects, json), 401);
  const after = await memoryOf(api.child);
  t.true(after.peak - before.now < 64, `${before.now} MiB grew to ${after.peak} MiB`);
});

test('what a body would grow to is refused before it is parsed, with a line in the log', async (t) => {
  const api = await keyed(t);
  const before = await memoryOf(api.child);
  t.is(await send(`${api.url}/v1/jobs`, `[${'{},'.repeat(9 * MIB)}{}]`, signed), 400);
  t.is(await send(`${api.url}/v1/jobs`, `${'['.repeat(5_000)}${']'.repeat(5_000)}`, signed), 400);
  t.is(
    await send(`${api.url}/v1/jobs`, '{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000), signed),
    400,
  );
  const after = await memoryOf(api.child);
  t.true(after.peak - before.now < 128, `${before.now} MiB grew to ${after.peak} MiB`);
  const log = api.output.join('');
  t.regex(log, /body refused: .*nested at most 100 deep/);
  t.regex(log, /body refused: .*at most 100000 values/);
});

test('an API of 512 MiB that has read one of the largest bodies, in the widest characters, survives many more at once', async (t) => {
  const api = await keyed(t);
  // Three bytes each in UTF-8, two in memory: for V8 all of the text is then of two bytes.
  const text = `${'x'.repeat(31 * MIB)}\u4e16`;
  // What is wrong with it is found after it was read and parsed.
  const body = JSON.stringify({ messages: [{ role: 'user', content: text }], max_tokens: 0 });
  t.is(await send(`${api.url}/v1/jobs`, body, signed), 400);
  for (const round of [1, 2]) {
    const sent = Array.from({ length: 12 }, () => send(`${api.url}/v1/jobs`, body, signed));
    const statuses = await Promise.all(sent);
    for (const status of statuses) t.true([400, 503].includes(Number(status)), String(status));
    t.log(`round ${round}: ${statuses.filter((status) => status !== 503).length} of 12 were read`);
  }
  const { peak } = await memoryOf(api.child);
  t.log(`peak ${peak.toFixed(0)} MiB`);
  t.true(peak < SMALL_MIB, `${peak} MiB`);
  t.is((await fetch(`${api.url}/readyz`)).status, 200);
});

test('a body that does not arrive in time is given up', async (t) => {
  const api = await keyed(t, { EPD_REQUEST_TIMEOUT_MS: '1000' });
  const socket = connect(api.port, '127.0.0.1');
  const head = `POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${KEY}\r\n`;
  socket.write(`${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{`);
  socket.resume();
  await once(socket, 'close');
  t.is((await fetch(`${api.url}/healthz`)).status, 200);
});
