import { readFileSync } from 'node:fs';
import { projectPath } from '@epd/service';
import { eventually, freePort } from '@epd/service/testing';
import test from 'ava';
import type { Fleet } from '../helpers/fleet.ts';
import { sharedFleet } from '../helpers/shared-fleet.ts';

const KEYS = { acme: 'acme-key-0123456789', other: 'other-key-0123456789' };
type Tenant = keyof typeof KEYS;

interface Image {
  readonly id: string;
  readonly image_id: string;
  readonly score: number;
  readonly jobs: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}
interface List {
  readonly data: readonly Image[];
}

const json = async <T>(answer: Promise<Response>): Promise<T> => (await (await answer).json()) as T;

/** A worker's start takes most of a minute where many processes share a core. */
const SLOW = { withinMs: 60_000 };

const picture = (name: string): Buffer =>
  readFileSync(projectPath(`models/tiny-vlm/golden/${name}`));
const dataUri = (bytes: Buffer): string => `data:image/png;base64,${bytes.toString('base64')}`;

const [CIRCLES, PAGE, RING] = [picture('02-0.png'), picture('03-0.png'), picture('01-0.png')];

/** A second API of the fleet, which knows tenants by their keys. */
async function apiWithKeys(fleet: Fleet): Promise<string> {
  const keys = Object.entries(KEYS).map(([tenant, key]) => `${tenant}:${key}`);
  const port = String(await freePort());
  fleet.start('api', { EPD_PORT: port, EPD_API_KEYS: keys.join(',') });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, SLOW);
  return url;
}

test('images that jobs came with are found by like ones, by their tenant alone', async (t) => {
  const url = await apiWithKeys(await sharedFleet(t));
  const call = (tenant: Tenant, method: string, path: string, body?: unknown) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${KEYS[tenant]}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const submit = async (tenant: Tenant, bytes: Buffer, metadata: Record<string, string>) => {
    const content = [
      { type: 'image_url', image_url: { url: dataUri(bytes) } },
      { type: 'text', text: 'What is it?' },
    ];
    const messages = [{ role: 'user', content }];
    const job = await call(tenant, 'POST', '/v1/jobs', { messages, max_tokens: 4, metadata });
    t.is(job.status, 202);
    return ((await job.json()) as { id: string }).id;
  };
  const jobs = [
    await submit('acme', CIRCLES, { album: 'shapes' }),
    await submit('acme', PAGE, { album: 'emoji' }),
    await submit('other', RING, { album: 'shapes' }),
  ];
  const listed = (tenant: Tenant, count: number) =>
    eventually(async () => {
      const { data } = await json<List>(call(tenant, 'GET', '/v1/images'));
      return data.length === count && data.every(({ metadata }) => metadata['album']) && data;
    }, SLOW);
  const [newest, oldest] = await listed('acme', 2);
  await listed('other', 1);
  t.deepEqual(oldest!.jobs, [jobs[0]!]);

  const copy = Buffer.concat([CIRCLES, Buffer.from('another file of the same pixels')]);
  const like = { image: dataUri(copy) };
  const found = await json<List>(call('acme', 'POST', '/v1/images/search', like));
  t.is(found.data.length, 2, "the other tenant's is not among them, nor what was searched with");
  t.is(found.data[0]!.image_id, oldest!.id);
  const form = new FormData();
  form.set('image', new Blob([new Uint8Array(copy)]));
  form.set('limit', '1');
  const asForm = fetch(`${url}/v1/images/search`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEYS.acme}` },
    body: form,
  });
  t.deepEqual((await json<List>(asForm)).data, found.data.slice(0, 1));
  t.true(found.data[0]!.score > 0.97);
  const filter = { metadata: { album: ['emoji', "' OR true --"] } };
  const narrowed = call('acme', 'POST', '/v1/images/search', { ...like, filter });
  t.deepEqual(
    (await json<List>(narrowed)).data.map(({ image_id }) => image_id),
    [newest!.id],
  );
  t.is((await json<List>(call('acme', 'GET', '/v1/images'))).data.length, 2);

  const recommended = call('acme', 'POST', '/v1/images/recommend', {
    positive: [{ image: dataUri(copy) }],
    negative: [newest!.id],
    strategy: 'best_score',
  });
  t.is((await json<List>(recommended)).data[0]!.image_id, oldest!.id);

  const content = await call('acme', 'GET', `/v1/images/${oldest!.id}/content`);
  t.is(content.headers.get('content-type'), 'image/png');
  t.deepEqual(Buffer.from(await content.arrayBuffer()), CIRCLES);
  const small = await call('acme', 'GET', `/v1/images/${oldest!.id}/thumbnail?size=64`);
  t.is(small.headers.get('content-type'), 'image/webp', await small.clone().text());
  t.true((await small.arrayBuffer()).byteLength < CIRCLES.length);
  for (const path of ['', '/content', '/thumbnail', '/duplicates'])
    t.is((await call('other', 'GET', `/v1/images/${oldest!.id}${path}`)).status, 404, path);
  const asOther = { image_id: oldest!.id };
  t.is((await call('other', 'POST', '/v1/images/search', asOther)).status, 404);

  const patch = { metadata: { album: null, kind: 'circle' } };
  const patched = await json<Image>(call('acme', 'PATCH', `/v1/images/${oldest!.id}`, patch));
  t.deepEqual(patched.metadata, { kind: 'circle' });
  t.is((await call('other', 'DELETE', `/v1/images/${oldest!.id}`)).status, 404);
  t.is((await call('acme', 'DELETE', `/v1/images/${oldest!.id}`)).status, 200);
  const after = await json<List>(call('acme', 'POST', '/v1/images/search', like));
  t.deepEqual(
    after.data.map(({ image_id }) => image_id),
    [newest!.id],
  );

  const embed = async (more: object) => {
    const body = { input: [{ image: dataUri(CIRCLES) }], ...more };
    const answer = await json<{
      data: { embedding: number[] | string }[];
      usage: { prompt_tokens: number };
    }>(call('acme', 'POST', '/v1/embeddings', body));
    t.is(answer.usage.prompt_tokens, 16);
    return answer.data[0]!.embedding;
  };
  const floats = (await embed({})) as number[];
  t.is(floats.length, 192);
  t.true(Math.abs(Math.hypot(...floats) - 1) < 1e-3);
  const bytes = Buffer.from((await embed({ encoding_format: 'base64' })) as string, 'base64');
  t.deepEqual([...new Float32Array(Uint8Array.from(bytes).buffer)], floats);
  t.is(((await embed({ dimensions: 8 })) as number[]).length, 8);
});
