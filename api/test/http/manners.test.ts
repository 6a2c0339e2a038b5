import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import test from 'ava';
import type { FastifyInstance } from 'fastify';
import { errorOf, jobOf, post, question } from '../helpers/requests.ts';
import { listen } from '../helpers/sse-client.ts';
import { testApi } from '../helpers/test-api.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

const postBytes = (app: FastifyInstance, payload: Buffer, headers: Record<string, string>) =>
  app.inject({ method: 'POST', url: '/v1/jobs', headers: { ...JSON_TYPE, ...headers }, payload });

test('a method that a path has not is 405, and Allow names those that it has', async (t) => {
  const { app } = await testApi(t);
  for (const [method, url, allow] of [
    ['PUT', '/v1/jobs', 'GET, HEAD, POST'],
    ['DELETE', '/v1/chat/completions', 'POST'],
    ['GET', '/v1/jobs/job_1/cancel?x=1', 'POST'],
    ['POST', '/v1/models/org/name', 'GET, HEAD'],
    ['PATCH', '/v1/files/file-1/', 'DELETE, GET, HEAD'],
  ] as const) {
    const response = await app.inject({ method, url });
    t.is(response.statusCode, 405, `${method} ${url}`);
    t.is(response.headers['allow'], allow);
    t.is(errorOf(response).code, 'method_not_allowed');
  }
  const nowhere = await app.inject({ method: 'PUT', url: '/v1/jobs/a/b' });
  t.is(nowhere.statusCode, 404);
  t.is(nowhere.headers['allow'], undefined);
});

test('a request below a base URL without /v1, or with two, is answered with the right path', async (t) => {
  const { app } = await testApi(t);
  for (const [url, meant] of [
    ['/chat/completions', '/v1/chat/completions'],
    ['/v1/v1/chat/completions', '/v1/chat/completions'],
    ['/models/org/name?x=1', '/v1/models/org/name'],
  ] as const) {
    const { message } = errorOf(await app.inject({ method: 'POST', url, payload: {} }));
    t.true(message.includes(`; ${meant} exists`), message);
  }
  t.regex(errorOf(await app.inject('/v2/models')).message, /^No such route: GET \/v2\/models$/);
});

test('a slash at the end of a path, or two in it, are the same path', async (t) => {
  const { app } = await testApi(t);
  t.is((await app.inject('/v1/models/')).statusCode, 200);
  t.is((await app.inject('/v1/models/tiny-vlm/')).statusCode, 200);
  t.is((await app.inject('//v1//models')).statusCode, 200);
  t.is((await post(app, '/v1/jobs/', question('?'))).statusCode, 202);
});

test('a body of another type is 415, and says which one is expected', async (t) => {
  const { app } = await testApi(t);
  const send = (url: string, type: string) =>
    app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload: '{}' });
  for (const [url, type, expected] of [
    ['/v1/jobs', 'application/x-www-form-urlencoded', 'application/json'],
    ['/v1/jobs', 'multipart/form-data; boundary=b', 'application/json'],
    ['/v1/files', 'image/png', 'multipart/form-data'],
  ] as const) {
    const response = await send(url, type);
    t.is(response.statusCode, 415);
    const message = `Content-Type: expected ${expected}, got ${JSON.stringify(type)}`;
    t.like(errorOf(response), { code: 'unsupported_media_type', message });
  }
});

test('an encoded body is read as what it was before', async (t) => {
  const { app } = await testApi(t);
  const json = Buffer.from(JSON.stringify(question('in other bytes')));
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(json)],
    ['GZIP', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['identity', json],
  ] as const) {
    const response = await postBytes(app, bytes, { 'content-encoding': encoding });
    t.is(response.statusCode, 202, response.body);
    t.is(jobOf(response).status, 'queued');
  }
});

test('an encoding that is not read is 415, and names those that are', async (t) => {
  const { app } = await testApi(t);
  const bytes = brotliCompressSync('{}');
  const response = await postBytes(app, bytes, { 'content-encoding': 'br' });
  t.is(response.statusCode, 415);
  t.is(errorOf(response).message, 'Content-Encoding: expected gzip or deflate, got "br"');
  const headers = {
    'content-type': 'multipart/form-data; boundary=b',
    'content-encoding': 'gzip',
  };
  const file = await app.inject({ method: 'POST', url: '/v1/files', headers, payload: bytes });
  t.is(file.statusCode, 415);
  t.is(errorOf(file).message, 'Content-Encoding: expected none for this body, got "gzip"');
});

test('what an encoded body grows to is bounded, and what is no such encoding is refused', async (t) => {
  const { app } = await testApi(t);
  const gzip = { 'content-encoding': 'gzip' };
  const bomb = await postBytes(app, gzipSync(Buffer.alloc(9_000_000, 0x20)), gzip);
  t.is(bomb.statusCode, 413);
  t.is(errorOf(bomb).code, 'body_too_large');
  const whole = gzipSync(JSON.stringify(question('?')));
  for (const bytes of [Buffer.from('{"messages":[]}'), whole.subarray(0, -12)]) {
    const response = await postBytes(app, bytes, gzip);
    t.is(response.statusCode, 400);
    t.is(errorOf(response).code, 'invalid_json');
  }
});

test('a body over the limit is answered while it is sent, and its connection serves on', async (t) => {
  const { app } = await testApi(t);
  const { port } = new URL(await listen(app));
  const socket = connect(Number(port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  const bytes = 9_000_000;
  const read = reader(socket);
  const head = 'POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  socket.write(`${head}content-length: ${bytes}\r\n\r\n{`);
  const answer = await read('body_too_large');
  t.regex(answer, /^HTTP\/1\.1 413 /);
  t.notRegex(answer, /connection: close/i);
  socket.write(Buffer.alloc(bytes - 1, 0x20));
  socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  t.regex(await read('"ok"'), /HTTP\/1\.1 200 /);
});

/** Resolves to what has come when it holds a text. */
function reader(socket: Socket): (until: string) => Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return async (until) => {
    while (!text.includes(until)) await once(socket, 'data');
    return text;
  };
}
