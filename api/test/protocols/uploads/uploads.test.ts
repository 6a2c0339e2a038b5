import { StoreUnavailableError } from '@epd/connector';
import { startS3, withClock } from '@epd/connector/testing';
import test, { type ExecutionContext } from 'ava';
import { NotFoundError } from 'openai';
import { openaiClient } from '../../helpers/openai-client.ts';
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
  const { file, ...done } = jsonOf<{ file: { id: string } }>(completed);
  t.like(done, { object: 'upload', status: 'completed', bytes: bytes.length });
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
  const first = jsonOf<{ file: { id: string } }>(await complete()).file;
  restore();
  t.is(jsonOf<{ file: { id: string } }>(await complete()).file.id, first.id);
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

test("OpenAI's client uploads a file in parts, whatever the store, and gets it back", async (t) => {
  const { client } = await openaiClient(t);
  const upload = await client.uploads.create({
    filename: 'requests.jsonl',
    purpose: 'batch',
    bytes: 12,
    mime_type: 'application/jsonl',
    expires_after: { anchor: 'created_at', seconds: 7_200 },
  });
  t.like(upload, { object: 'upload', status: 'pending', bytes: 12, purpose: 'batch', file: null });
  t.is(upload.expires_at - upload.created_at, 3_600);
  // Sent in another order than that of the file.
  const [second, first] = [
    await client.uploads.parts.create(upload.id, { data: new File(['{"b":2}'], 'data') }),
    await client.uploads.parts.create(upload.id, { data: new File(['{"a"}'], 'data') }),
  ];
  t.like(first, { object: 'upload.part', upload_id: upload.id });
  const completion = { part_ids: [first.id, second.id], md5: '00000000000000000000000000000000' };
  await t.throwsAsync(client.uploads.complete(upload.id, completion), { message: /md5: expected/ });
  const done = await client.uploads.complete(upload.id, { part_ids: completion.part_ids });
  t.like(done, { id: upload.id, status: 'completed', bytes: 12, filename: 'requests.jsonl' });
  const { id = '', expires_at: expiresAt = 0, created_at: createdAt = 0 } = done.file ?? {};
  t.is(expiresAt - createdAt, 7_200);
  const content = await client.files.content(id);
  t.is(await content.text(), '{"a"}{"b":2}');
  const disposition = content.headers.get('content-disposition');
  t.is(disposition, 'attachment; filename="requests.jsonl"');
});

test('parts that are not the file that was announced are refused, and can be sent again', async (t) => {
  const { client, api } = await openaiClient(t);
  const { id } = await client.uploads.create({
    filename: 'a.txt',
    purpose: 'user_data',
    bytes: 4,
    mime_type: 'text/plain',
  });
  const part = (text: string) =>
    client.uploads.parts.create(id, { data: new File([text], 'data') });
  const complete = (...ids: string[]) => client.uploads.complete(id, { part_ids: ids });
  const one = await part('abc');
  await t.throwsAsync(part('de'), { message: /expected at most 4 bytes, as announced/ });
  await t.throwsAsync(complete(one.id), { message: /Expected 4 bytes, as announced, got 3/ });
  await t.throwsAsync(complete('part_x'), { message: /part_ids\[0\]: expected a part of this/ });
  const two = await part('d');
  t.is((await complete(one.id, two.id)).file?.bytes, 4);
  const kept = await Array.fromAsync(api.inputs.list('uploads/'));
  t.deepEqual(kept, []);
});

test('a cancelled upload is gone with its parts', async (t) => {
  const { client, api } = await openaiClient(t);
  const announced = {
    filename: 'a.txt',
    purpose: 'user_data',
    bytes: 4,
    mime_type: 'text/plain',
  } as const;
  const { id } = await client.uploads.create(announced);
  await client.uploads.parts.create(id, { data: new File(['abcd'], 'data') });
  const open = `${api.prefix}:uploads:local`;
  t.is(await api.redis.zcard(open), 1);
  t.is((await client.uploads.cancel(id)).status, 'cancelled');
  t.deepEqual(await Array.fromAsync(api.inputs.list('uploads/')), []);
  const gone = await t.throwsAsync<InstanceType<typeof NotFoundError>>(client.uploads.cancel(id));
  t.is(gone?.status, 404);
  t.is(await api.redis.zcard(open), 0);
});
