import test from 'ava';
import { BadRequestError, NotFoundError } from 'openai';
import { openaiClient } from '../../helpers/openai-client.ts';
import { png } from '../../helpers/pictures.ts';

test('a file can be uploaded, looked up, listed, read and deleted', async (t) => {
  const { client } = await openaiClient(t);
  const file = await client.files.create({
    file: new File(['{"a":1}\n'], 'in.jsonl'),
    purpose: 'batch',
  });
  t.like(file, {
    object: 'file',
    bytes: 8,
    filename: 'in.jsonl',
    purpose: 'batch',
    status: 'processed',
  });
  t.deepEqual(await client.files.retrieve(file.id), file);
  t.deepEqual(
    (await Array.fromAsync(client.files.list())).map(({ id }) => id),
    [file.id],
  );
  t.is(await (await client.files.content(file.id)).text(), '{"a":1}\n');
  t.true((await client.files.delete(file.id)).deleted);
  await t.throwsAsync(client.files.retrieve(file.id), { instanceOf: NotFoundError });
  t.deepEqual(await Array.fromAsync(client.files.list()), []);
});

test('lists have pages and filter by purpose', async (t) => {
  const { client } = await openaiClient(t);
  for (const name of ['a', 'b', 'c']) {
    await client.files.create({
      file: new File([name], name),
      purpose: name === 'b' ? 'batch' : 'user_data',
    });
  }
  const names = async (query: object) =>
    (await Array.fromAsync(client.files.list(query))).map(({ filename }) => filename);
  t.deepEqual(await names({ limit: 1 }), ['c', 'b', 'a']);
  t.deepEqual(await names({ order: 'asc', purpose: 'user_data' }), ['a', 'c']);
});

test('the same picture twice is one object, and a picture that is none is refused', async (t) => {
  const { client, api } = await openaiClient(t);
  for (let n = 0; n < 2; n++) {
    await client.files.create({ file: new File([png()], `${n}.png`), purpose: 'vision' });
  }
  t.is((await Array.fromAsync(api.inputs.list('inputs/'))).length, 1);
  const broken = client.files.create({ file: new File(['no'], 'x.png'), purpose: 'vision' });
  t.like(await t.throwsAsync(broken, { instanceOf: BadRequestError }), {
    code: 'unsupported_image_type',
  });
});

test('what is uploaded is never served as what it claims to be', async (t) => {
  const { client } = await openaiClient(t);
  const page = new File(['<script>alert(1)</script>'], 'x\u202e.html', { type: 'text/html' });
  const file = await client.files.create({ file: page, purpose: 'user_data' });
  t.is(file.filename, 'x.html');
  const { headers } = await client.files.content(file.id);
  t.is(headers.get('content-type'), 'application/octet-stream');
  t.is(headers.get('x-content-type-options'), 'nosniff');
  t.regex(headers.get('content-disposition') ?? '', /^attachment; filename/);
});

test('an upload without a file, with another purpose, or too large is refused', async (t) => {
  const { client, baseURL } = await openaiClient(t, { maxFileBytes: 2_000 });
  const body = new FormData();
  body.set('purpose', 'batch');
  const empty = await fetch(`${baseURL}/files`, { method: 'POST', body });
  t.is(empty.status, 400);
  const file = new File(['x'], 'x');
  const purpose = client.files.create({ file, purpose: 'fine-tune' });
  t.like(await t.throwsAsync(purpose), { status: 400, param: 'purpose' });
  const large = client.files.create({ file: new File(['x'.repeat(3_000)], 'x'), purpose: 'batch' });
  t.like(await t.throwsAsync(large), { status: 413, code: 'body_too_large' });
  const json = await fetch(`${baseURL}/files`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  t.is(json.status, 415);
});

test('a page after a file that is not in the list is refused', async (t) => {
  const { client } = await openaiClient(t);
  await client.files.create({ file: new File(['a'], 'a'), purpose: 'user_data' });
  const error = await t.throwsAsync(client.files.list({ after: 'file-unknown' }).asResponse());
  t.like(error, { status: 400, code: 'invalid_value', param: 'after' });
});
