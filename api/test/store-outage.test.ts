import test from 'ava';
import { dataUri, png } from './helpers/pictures.ts';
import { errorOf, imagePart, jsonOf, post, question } from './helpers/requests.ts';
import { testApi } from './helpers/test-api.ts';

test('without its object store an API answers text, refuses images with 503, and says why', async (t) => {
  const { app } = await testApi(t, {
    store: 's3',
    s3Endpoint: 'http://127.0.0.1:9',
    s3Bucket: 'pictures',
    s3AccessKeyId: 'a',
    s3SecretAccessKey: 'b',
  });
  t.is((await post(app, '/v1/jobs', question('two words'))).statusCode, 202);
  const withImage = { messages: [{ role: 'user', content: [imagePart(dataUri(png()))] }] };
  const refused = await post(app, '/v1/jobs', withImage);
  t.is(refused.statusCode, 503);
  t.is(refused.headers['retry-after'], '1');
  t.like(errorOf(refused), {
    code: 'unavailable',
    message: 'The object store is unavailable; try again',
  });
  const ready = await app.inject('/readyz');
  t.is(ready.statusCode, 200);
  t.like(jsonOf(ready), { ready: true, redis: 'ok', store: 'unavailable' });
  t.regex(jsonOf<{ store_reason: string }>(ready).store_reason, /bucket pictures|no answer/);
});
