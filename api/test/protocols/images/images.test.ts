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
