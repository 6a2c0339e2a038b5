import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { dataUri, png } from '../../helpers/pictures.ts';
import { errorOf, jobOf, post } from '../../helpers/requests.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';

const as = (key: string) => ({ authorization: `Bearer ${key}` });

const asking = (...images: object[]) => ({
  messages: [
    { role: 'user', content: images.map((image) => ({ type: 'image_url', image_url: image })) },
  ],
});

const imagesOf = async ({ app, jobs }: TestApi, ...images: object[]) => {
  const response = await post(app, '/v1/jobs', asking(...images));
  return (await jobs.get(jobOf(response).id))?.request.images ?? [];
};

async function servedPicture(t: ExecutionContext, bytes: Buffer) {
  const seen = { count: 0 };
  const server = createServer((_request, response) => {
    seen.count += 1;
    response.end(bytes);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.png`, seen };
}

test('a URL and a data URI of the same bytes are one image, fetched once a request', async (t) => {
  const api = await testApi(t);
  const { url, seen } = await servedPicture(t, png());
  const images = await imagesOf(api, { url }, { url: dataUri(png()) }, { url });
  t.is(images.length, 1);
  t.is(seen.count, 1);
});

test('a uuid stands for the picture that it first came with, and spares the fetch', async (t) => {
  const api = await testApi(t);
  const { url, seen } = await servedPicture(t, png());
  const [first] = await imagesOf(api, { url, uuid: 'cat' });
  const [again] = await imagesOf(api, { url, uuid: 'cat' });
  const [alone] = await imagesOf(api, { uuid: 'cat' });
  t.is(again?.mmHash, first?.mmHash);
  t.is(alone?.mmHash, first?.mmHash);
  t.is(seen.count, 1);
});

test('a uuid cannot be bound to other content, and an unknown one needs its picture', async (t) => {
  const { app } = await testApi(t);
  await post(app, '/v1/jobs', asking({ url: dataUri(png(8, 6, 1)), uuid: 'cat' }));
  const other = await post(app, '/v1/jobs', asking({ url: dataUri(png(8, 6, 2)), uuid: 'cat' }));
  t.is(errorOf(other).code, 'image_alias_conflict');
  const unknown = await post(app, '/v1/jobs', asking({ uuid: 'dog' }));
  t.is(errorOf(unknown).code, 'image_alias_unknown');
});

test("a uuid is its tenant's own", async (t) => {
  const { app } = await testApi(t, { apiKeys: ['a:key-of-tenant-aaaa', 'b:key-of-tenant-bbbb'] });
  await post(
    app,
    '/v1/jobs',
    asking({ url: dataUri(png()), uuid: 'cat' }),
    as('key-of-tenant-aaaa'),
  );
  const response = await post(app, '/v1/jobs', asking({ uuid: 'cat' }), as('key-of-tenant-bbbb'));
  t.is(errorOf(response).code, 'image_alias_unknown');
});

test('nulls beside a picture are absent, its URI may be broken into lines', async (t) => {
  const api = await testApi(t);
  const url = `  ${dataUri(png()).replaceAll(/(.{76})/g, '$1\r\n')}`;
  const nulls = { detail: null, uuid: null, file_id: null };
  const [plain] = await imagesOf(api, { url: dataUri(png()) });
  const [odd] = await imagesOf(api, { url, ...nulls });
  t.is(odd?.mmHash, plain?.mmHash);
});

test('what callers cannot refer to: stored bytes by digest, and files of others', async (t) => {
  const { app } = await testApi(t);
  const stored = await post(app, '/v1/jobs', {
    messages: [{ role: 'user', content: [{ type: 'stored_image', sha256: 'a'.repeat(64) }] }],
  });
  t.is(errorOf(stored).code, 'invalid_value');
  const file = await post(app, '/v1/jobs', asking({ file_id: 'file-of-somebody' }));
  t.is(errorOf(file).code, 'file_not_found');
});

test('the largest picture is taken beside text that is not ASCII', async (t) => {
  const MIB = 2 ** 20;
  const maxBodyBytes = 8 * MIB;
  const api = await testApi(t, {
    maxBodyBytes,
    maxImageBytes: 5 * MIB,
    bodyMemoryBytes: 3 * maxBodyBytes,
  });
  const picture = Buffer.concat([png(), Buffer.alloc(5 * MIB - png().length)]);
  const content = [
    { type: 'image_url', image_url: { url: dataUri(picture) } },
    { type: 'text', text: 'Was ist das für ein Bild?' },
  ];
  const response = await post(api.app, '/v1/jobs', { messages: [{ role: 'user', content }] });
  t.is(response.statusCode, 202, response.body.slice(0, 300));
  t.is(api.services.memory.bytes, 0);
});
