import test, { type ExecutionContext } from 'ava';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { EmbeddingStore, ObjectTooLargeError, StoreUnavailableError } from '../../src/index.ts';
import { S3Store } from '../../src/stores/s3-store.ts';
import { writeEmbeddingFile } from '../../src/embeddings/embedding-file.ts';
import { sharedBytes } from '../../src/shared-bytes.ts';
import {
  givenS3,
  objectStoreConformance,
  startS3,
  type DeclareTest,
  type S3Settings,
} from '../../src/testing/index.ts';

import { embeddingOf, FINGERPRINT, hashOf, specOf } from '../helpers/embeddings.ts';

const embedded = await startS3();
test.after.always(() => embedded.stop());

const servers: [string, S3Settings, DeclareTest][] = [['S3 store', embedded, test]];
const given = givenS3();
if (given) servers.push(['S3 store on the given server', given, test.serial]);

for (const [name, settings, declare] of servers) {
  const freshStore = async (t: ExecutionContext, keyPrefix?: string): Promise<S3Store> => {
    const bucket = `epd-test-${randomUUID()}`;
    const store = new S3Store({ ...settings, bucket, ...(keyPrefix ? { keyPrefix } : {}) });
    t.teardown(() => store.close());
    await store.ensureBucket();
    return store;
  };

  objectStoreConformance(declare, name, (t) => freshStore(t));
  objectStoreConformance(declare, `${name}, below a prefix`, (t) => freshStore(t, 'some/prefix'));

  declare(`${name}: making a bucket twice is no error`, async (t) => {
    const store = await freshStore(t);
    await t.notThrowsAsync(store.ensureBucket());
  });

  declare(`${name}: a list continues past one page`, async (t) => {
    const store = await freshStore(t);
    const keys = Array.from({ length: 1010 }, (_, index) => `k/${String(index).padStart(4, '0')}`);
    for (let start = 0; start < keys.length; start += 50) {
      await Promise.all(
        keys.slice(start, start + 50).map((key) => store.put(key, Buffer.from('1'))),
      );
    }
    const listed = await Array.fromAsync(store.list('k/'));
    t.deepEqual(listed.map(({ key }) => key).toSorted(), keys);
  });

  declare(`${name}: a bucket that is not there is a store that is not there`, async (t) => {
    const store = new S3Store({ ...settings, bucket: `epd-test-${randomUUID()}` });
    t.teardown(() => store.close());
    await t.throwsAsync(store.ping(), { instanceOf: StoreUnavailableError });
    await t.throwsAsync(store.get('a'), { instanceOf: StoreUnavailableError });
    await t.throwsAsync(store.put('a', Buffer.from('1')), { instanceOf: StoreUnavailableError });
  });
}

if (given) {
  test('on the given server, one of many racing conditional puts wins', async (t) => {
    const store = new S3Store({ ...given, bucket: `epd-test-${randomUUID()}` });
    t.teardown(() => store.close());
    await store.ensureBucket();
    const puts = await Promise.all(
      Array.from({ length: 8 }, (_, i) => store.put('a', Buffer.from([i]), { onlyIfAbsent: true })),
    );
    t.is(puts.filter(({ created }) => created).length, 1);
  });
}

test('a server that does not answer makes the S3 store unavailable', async (t) => {
  const store = new S3Store({
    ...embedded,
    endpoint: 'http://127.0.0.1:9',
    bucket: 'any',
    maxAttempts: 1,
  });
  t.teardown(() => store.close());
  for (const call of [store.get('a'), store.stat('a'), store.ping(), store.delete('a')]) {
    const error = await t.throwsAsync(call, { instanceOf: StoreUnavailableError });
    t.true(error?.retryable);
  }
});

test('a large object in parts is sent again, whole, when the server failed', async (t) => {
  const bodies: Buffer[] = [];
  const store = await storeOn(t, async (request, response) => {
    bodies.push(Buffer.concat(await Array.fromAsync<Buffer>(request)));
    response.writeHead(bodies.length < 3 ? 503 : 200, { etag: '"1"' }).end();
  });
  const parts = [Buffer.from('header'), randomBytes(1 << 20)];
  t.true((await store.put('a', parts)).created);
  t.deepEqual(
    bodies,
    Array.from({ length: 3 }, () => Buffer.concat(parts)),
  );
});

/** An object as a gateway sends it that decrypts or compresses: in chunks, without a length. */
const chunked =
  (body: Uint8Array, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { etag: '"1"', ...headers });
    response.write(body.subarray(0, 10));
    response.end(body.subarray(10));
  };

test('an object whose length is not announced is read up to the limit', async (t) => {
  const body = randomBytes(100_000);
  const store = await storeOn(t, chunked(body));
  t.true(body.equals(Buffer.from((await store.get('a', { maxBytes: body.length }))!)));
  const shared = await store.get('a', { allocate: sharedBytes });
  t.true(shared?.buffer instanceof SharedArrayBuffer);
  await t.throwsAsync(store.get('a', { maxBytes: body.length - 1 }), {
    instanceOf: ObjectTooLargeError,
  });
  const stat = await store.stat('a');
  t.is(stat?.bytes, null);
  t.is(stat?.etag, '1');
});

test('an object that a gateway compresses is read as it was stored, up to the limit', async (t) => {
  const body = Buffer.alloc(100_000, 'text');
  const ways = { gzip: gzipSync(body), br: brotliCompressSync(body), deflate: deflateSync(body) };
  for (const [encoding, sent] of Object.entries(ways)) {
    const store = await storeOn(t, chunked(sent, { 'content-encoding': encoding }));
    t.true(body.equals(Buffer.from((await store.get('a', { maxBytes: 100_000 }))!)), encoding);
    await t.throwsAsync(store.get('a', { maxBytes: 99_999 }), { instanceOf: ObjectTooLargeError });
  }
});

test('an embedding whose length is not announced is there, and is loaded', async (t) => {
  const store = await storeOn(
    t,
    chunked(writeEmbeddingFile(hashOf('cat'), FINGERPRINT, embeddingOf('cat'))),
  );
  const embeddings = new EmbeddingStore({ store });
  t.true(await embeddings.has(specOf('cat')));
  const loaded = await embeddings.load(specOf('cat'));
  t.deepEqual(loaded?.embedding.rows, embeddingOf('cat').rows);
});

test("somebody else's 200 is no object: the store is unavailable", async (t) => {
  const page = Buffer.from('<html>Down for maintenance</html>');
  const store = await storeOn(t, (_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html', 'content-length': page.length })
      .end(page);
  });
  for (const call of [store.get('a'), store.stat('a'), store.put('a', Buffer.from('1'))]) {
    await t.throwsAsync(call, { instanceOf: StoreUnavailableError });
  }
});

test('a connection that ends before a body of unknown length does is no object', async (t) => {
  const store = await storeOn(t, (_request, response) => {
    response.writeHead(200, { etag: '"1"' });
    response.write('the beginning', () => response.destroy());
  });
  await t.throwsAsync(store.get('a'), { instanceOf: StoreUnavailableError });
});

/** More than the SDK has connections for, each slower than the time it may take to connect. */
test('a burst of requests is queued, and does not count as an outage of the server', async (t) => {
  const store = await storeOn(t, (_request, response) => {
    setTimeout(() => response.setHeader('etag', '"1"').end(), 100);
  });
  const stats = Array.from({ length: 1_000 }, (_, index) => store.stat(`k/${index}`));
  t.is((await Promise.all(stats)).length, 1_000);
});

async function storeOn(t: ExecutionContext, answer: RequestListener): Promise<S3Store> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const endpoint = `http://127.0.0.1:${port}`;
  const store = new S3Store({ ...embedded, endpoint, bucket: 'any', connectionTimeoutMs: 1_000 });
  t.teardown(async () => {
    await store.close();
    server.closeAllConnections();
    server.close();
  });
  return store;
}
