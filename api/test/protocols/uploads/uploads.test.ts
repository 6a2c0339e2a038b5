import { StoreUnavailableError } from '@epd/connector';
import { startS3, withClock } from '@epd/connector/testing';
import test, { type ExecutionContext } from 'ava';
import { png } from '../../helpers/pictures.ts';
import { errorOf, jobOf, jsonOf, post } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';

interface Upload {
  readonly id: string;
  readonly url: string;
}

async function s3Api(t: ExecutionContext, maxImageBytes = 1_000_000) {
  const s3 = await startS3(t);
  return testApi(t, {
    store: 's3',
    s3Endpoint: s3.endpoint,
    s3Bucket: s3.bucket,
    s3AccessKeyId: s3.accessKeyId,
    s3SecretAccessKey: s3.secretAccessKey,
    maxImageBytes,
  });
}

const unavailable = () => Promise.reject(new StoreUnavailableError('S3', 'it is away'));

/** A part that is away until the returned function is called. */
function failing(part: object, method: string): () => void {
  const own = Object.getOwnPropertyDescriptor(part, method);
  Object.defineProperty(part, method, { value: unavailable, configurable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(part, method);
    else Object.defineProperty(part, method, own);
  };
}

const put = async (url: string, body: Buffer) =>
  (await fetch(url, { method: 'PUT', body: new Uint8Array(body) })).ok;

test('a picture goes straight to S3, becomes a file, and can be asked about', async (t) => {
  const { app, inputs, jobs } = await s3Api(t);
  const bytes = png(32, 24, 9);
  const opened = await post(app, '/v1/uploads', { filename: 'a.png', bytes: bytes.length });
  const upload = jsonOf<Upload>(opened);
  t.true(await put(upload.url, bytes), opened.body);
  const completed = await app.inject({ method: 'POST', url: `/v1/uploads/${upload.id}/complete` });
  const file = jsonOf<{ id: string }>(completed);
  t.like(file, { object: 'file', bytes: bytes.length, filename: 'a.png', purpose: 'vision' });
  const content = [{ type: 'image_url', image_url: { file_id: file.id } }];
  const job = jobOf(await post(app, '/v1/jobs', { messages: [{ role: 'user', content }] }));
  t.like((await jobs.get(job.id))?.request.images[0]?.input, { width: 32, height: 24 });
  const kept = await Array.fromAsync(inputs.list(''));
  t.deepEqual(
    kept.map(({ key }) => key.split('/')[0]),
    ['inputs'],
  );
});

test('an upload that has not arrived, is no picture, or belongs to nobody is refused', async (t) => {
  const { app, inputs } = await s3Api(t);
  const complete = (id: string) =>
    app.inject({ method: 'POST', url: `/v1/uploads/${id}/complete` });
  const upload = jsonOf<Upload>(await post(app, '/v1/uploads', { filename: 'a.png', bytes: 5 }));
  t.is(errorOf(await complete(upload.id)).code, 'upload_not_found');
  await put(upload.url, Buffer.from('hello'));
  t.is(errorOf(await complete(upload.id)).code, 'unsupported_image_type');
  t.is(errorOf(await complete(upload.id)).code, 'upload_not_found');
  t.is(errorOf(await complete(`upload-${'0'.repeat(32)}`)).code, 'upload_not_found');
  t.deepEqual(await Array.fromAsync(inputs.list('')), []);
});

test('an upload that an outage has cut off is completed by a repetition, as one file', async (t) => {
  const { app, inputs, services } = await s3Api(t);
  const bytes = png(32, 24, 9);
  const upload = jsonOf<Upload>(
    await post(app, '/v1/uploads', { filename: 'a.png', bytes: bytes.length }),
  );
  await put(upload.url, bytes);
  const complete = () => app.inject({ method: 'POST', url: `/v1/uploads/${upload.id}/complete` });
  const { records } = services.files;
  for (const [part, method] of [
    [inputs, 'get'],
    [inputs, 'put'],
    [records, 'add'],
  ] as const) {
    const restore = failing(part, method);
    t.is((await complete()).statusCode, 503, method);
    restore();
  }
  const restore = failing(inputs, 'delete');
  const first = jsonOf<{ id: string }>(await complete());
  restore();
  t.is(jsonOf<{ id: string }>(await complete()).id, first.id);
  const { files } = (await records.list('local', { limit: 9, order: 'asc' }))!;
  t.deepEqual(
    files.map(({ id }) => id),
    [first.id],
  );
});

test.serial(
  'a process whose clock is an hour behind signs an address that is good now',
  async (t) => {
    const { app } = await s3Api(t);
    const opened = await withClock(-3_600_000, () =>
      post(app, '/v1/uploads', { filename: 'a.png', bytes: 5 }),
    );
    const { url, expires_at: expiresAt } = jsonOf<Upload & { expires_at: number }>(opened);
    const [, date, time] = /X-Amz-Date=(\d{8})T(\d{6})Z/.exec(url) ?? [];
    const at = `${date}${time}`.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z');
    t.true(Math.abs(Date.parse(at) - Date.now()) < 60_000, url);
    t.true(expiresAt * 1000 > Date.now());
    t.true(await put(url, Buffer.from('hello')));
  },
);

test('the announced size is bounded, and signed', async (t) => {
  const { app } = await s3Api(t, 1_000);
  const large = await post(app, '/v1/uploads', { filename: 'a.png', bytes: 1_001 });
  t.is(large.statusCode, 413);
  const { url } = jsonOf<Upload>(await post(app, '/v1/uploads', { filename: 'a.png', bytes: 10 }));
  t.regex(new URL(url).searchParams.get('X-Amz-SignedHeaders') ?? '', /content-length/);
});

test('where the store is no S3 the caller is sent to the files', async (t) => {
  const { app } = await testApi(t);
  const response = await post(app, '/v1/uploads', { filename: 'a.png', bytes: 10 });
  t.is(errorOf(response).code, 'uploads_unavailable');
});
