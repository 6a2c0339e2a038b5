import test from 'ava';
import { dataUri, png } from '../../helpers/pictures.ts';
import { errorOf, post, question } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';

const ID = `img_${'a'.repeat(32)}`;

test('without an index its routes say so, and jobs leave nothing for it', async (t) => {
  const { app, redis, prefix } = await testApi(t);
  for (const [method, url] of [
    ['GET', '/v1/images'],
    ['GET', `/v1/images/${ID}`],
    ['DELETE', `/v1/images/${ID}`],
    ['GET', `/v1/images/${ID}/duplicates`],
    ['GET', `/v1/images/${ID}/content`],
  ] as const) {
    const answer = await app.inject({ method, url });
    t.is(answer.statusCode, 404, url);
    t.is(errorOf(answer).code, 'images_off', url);
  }
  t.is(errorOf(await post(app, '/v1/images/search', { image_id: ID })).code, 'images_off');
  await post(app, '/v1/jobs', question('?', png(8, 8)));
  t.is(await redis.exists(`${prefix}:index:notices`), 0);
});

test('with an index a job leaves a notice of its pictures, with its metadata', async (t) => {
  const { app, redis, prefix } = await testApi(t, { index: true });
  const metadata = { album: 'one' };
  const picture = png(8, 6);
  await post(app, '/v1/jobs', { ...question('?', picture), metadata });
  await post(app, '/v1/jobs', question('text alone'));
  const entries = await redis.xrange(`${prefix}:index:notices`, '-', '+');
  t.is(entries.length, 1);
  const notice = JSON.parse(entries[0]![1][1]!) as Record<string, unknown>;
  t.like(notice, { kind: 'seen', tenant: 'local', model: 'tiny-vlm', metadata });
  t.like((notice['images'] as object[])[0]!, { input: { width: 8, height: 6 } });
});

test('what cannot be searched with is refused by name, before anything is encoded', async (t) => {
  const { app, waitingEncodes } = await testApi(t, { index: true });
  const image = dataUri(png(8, 8));
  const refused = async (url: string, body: object, param: string, word: RegExp) => {
    const answer = await post(app, url, body);
    t.is(answer.statusCode, 400, JSON.stringify(body));
    t.is(errorOf(answer).param, param);
    t.regex(errorOf(answer).message, word);
  };
  const search = '/v1/images/search';
  await refused(search, {}, 'body', /exactly one of image, image_id and vector, got 0/);
  await refused(search, { image, image_id: ID }, 'body', /got 2/);
  await refused(search, { vector: [0, 0] }, 'vector', /not all zeros/);
  await refused(search, { image: {} }, 'image', /either url or file_id/);
  await refused(search, { image: 'no address' }, 'image', /data: or https: URL/);
  await refused('/v1/images/recommend', { negative: [ID] }, 'positive', /at least one example/);
  const embeddings = '/v1/embeddings';
  await refused(embeddings, { input: 'words' }, 'input', /no text tower/);
  await refused(embeddings, { input: [{ image }, { text: 'a' }] }, 'input[1]', /no text tower/);
  await refused(embeddings, { input: { image }, dimensions: 193 }, 'dimensions', /at most 192/);
  t.deepEqual(await waitingEncodes(), []);
});

test('a form asks with a picture as a file; what is wrong in it is named as in JSON', async (t) => {
  const { app } = await testApi(t, { index: true });
  const send = (fields: Record<string, string | Blob>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const request = new Request('http://localhost', { method: 'POST', body });
    return request.arrayBuffer().then((payload) =>
      app.inject({
        method: 'POST',
        url: '/v1/images/search',
        headers: { 'content-type': request.headers.get('content-type') ?? '' },
        payload: Buffer.from(payload),
      }),
    );
  };
  const image = new Blob(['no picture'], { type: 'image/png' });
  const cases = [
    [{ limit: '1' }, 'image', /expected a file, got nothing/],
    [{ image, filter: '{' }, 'filter', /expected JSON, got "\{"/],
    [{ image, limit: '0' }, 'limit', /limit/],
    [{ image, colour: 'red' }, 'colour', /colour/],
    [{ image }, 'image', /image/],
  ] as const;
  for (const [fields, param, word] of cases) {
    const answer = await send(fields);
    t.is(answer.statusCode, 400, JSON.stringify(fields));
    t.is(errorOf(answer).param, param);
    t.regex(errorOf(answer).message, word);
  }
  const recommend = await app.inject({
    method: 'POST',
    url: '/v1/images/recommend',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    payload: '--b--',
  });
  t.is(recommend.statusCode, 415);
});
