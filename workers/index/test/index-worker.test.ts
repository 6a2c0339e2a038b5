import { embeddingKey } from '@epd/connector';
import { imageId, IndexRefusal, type ImageFilter } from '@epd/image-index';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { CARD, testFleet, type TestFleet } from './helpers/test-index.ts';

const list = async ({ client }: TestFleet, tenant: string, filter: ImageFilter = {}) => {
  const { fingerprint } = CARD;
  return (await client.query({ op: 'list', tenant, fingerprint, limit: 50, order: 'asc', filter }))
    .images;
};

/** Once a tenant has so many images. */
const listed = (fleet: TestFleet, tenant: string, count: number) =>
  eventually(async () => {
    const images = await list(fleet, tenant);
    return images.length === count && images;
  });

test('an image is found once it is encoded and its job was noticed, in whichever order', async (t) => {
  const fleet = await testFleet(t);
  await fleet.worker();
  const [a, b] = [await fleet.image(0), await fleet.image(40)];
  await fleet.seen(a, 'acme', 'job_1', { album: 'one' });
  await fleet.encoded(a, 'acme');
  await fleet.encoded(b, 'acme');
  await fleet.seen(b, 'acme', 'job_2', { album: 'two' });
  await fleet.seen(a, 'acme', 'job_3', { album: 'late', more: 'yes' });
  const images = await eventually(async () => {
    const found = await list(fleet, 'acme');
    return found.flatMap(({ jobs }) => jobs).length === 3 && found;
  });
  const first = images.find(({ mmHash }) => mmHash === a.mmHash)!;
  t.like(first, { id: imageId('acme', a.mmHash), model: 'tiny', width: 40, height: 30 });
  t.deepEqual(first.jobs, ['job_3', 'job_1']);
  t.deepEqual(first.metadata, { album: 'one', more: 'yes' });
  const { hits } = await fleet.client.query({
    op: 'search',
    tenant: 'acme',
    example: { id: first.id },
    limit: 5,
    filter: {},
  });
  t.deepEqual(
    hits.map(({ mmHash }) => mmHash),
    [b.mmHash],
    'itself is not among them',
  );
  t.true(Math.abs(hits[0]!.score - Math.cos((40 * Math.PI) / 180)) < 1e-3);
});

test('an image that was stored before, and one shared with another tenant, are found for each', async (t) => {
  const fleet = await testFleet(t);
  await fleet.worker();
  const image = await fleet.image(10);
  await fleet.encoded(image, 'acme', { vector: false });
  await listed(fleet, 'acme', 1);
  await fleet.seen(image, 'other', 'job_o');
  const [theirs] = await listed(fleet, 'other', 1);
  t.is((await list(fleet, 'acme')).length, 1);
  t.not(theirs!.id, imageId('acme', image.mmHash));
  const forOther = { op: 'get', tenant: 'other', id: imageId('acme', image.mmHash) } as const;
  await t.throwsAsync(fleet.client.query(forOther), { instanceOf: IndexRefusal });
});

test('an image that was encoded for a search alone is nobody’s', async (t) => {
  const fleet = await testFleet(t);
  await fleet.worker();
  await fleet.encoded(await fleet.image(10));
  await fleet.encoded(await fleet.image(20), 'acme');
  await listed(fleet, 'acme', 1);
  t.deepEqual(await list(fleet, 'local'), []);
});

test('what a tenant deletes is gone at once, stays gone through replays, and comes back when sent again', async (t) => {
  const fleet = await testFleet(t);
  const worker = await fleet.worker();
  const image = await fleet.image(10);
  await fleet.encoded(image, 'acme');
  const [found] = await listed(fleet, 'acme', 1);
  const { id } = found!;
  await fleet.client.write({ op: 'patch', tenant: 'acme', id, metadata: { a: '1', b: '2' } });
  const { metadata } = await fleet.client.write({
    op: 'patch',
    tenant: 'acme',
    id,
    metadata: { a: null, c: '3' },
  });
  t.deepEqual(metadata, { b: '2', c: '3' });
  const ofOther = { op: 'remove', tenant: 'other', id } as const;
  await t.throwsAsync(fleet.client.write(ofOther), { message: /No image/ });
  await fleet.client.write({ op: 'remove', tenant: 'acme', id });
  t.deepEqual(await list(fleet, 'acme'), []);

  await fleet.redis.del(`${fleet.prefix}:index:cursor`); // everything is read again
  await worker.stop();
  await fleet.worker();
  const marker = await fleet.image(50);
  await fleet.encoded(marker, 'acme');
  t.deepEqual(
    (await listed(fleet, 'acme', 1)).map(({ mmHash }) => mmHash),
    [marker.mmHash],
  );
  await fleet.seen(image, 'acme', 'job_again', { d: '4' });
  const both = await listed(fleet, 'acme', 2);
  const back = both.find(({ mmHash }) => mmHash === image.mmHash)!;
  t.deepEqual(back.metadata, { d: '4' });
  t.deepEqual(back.jobs, ['job_again']);
});

test('one of several workers writes; when it stops another resumes where it was', async (t) => {
  const fleet = await testFleet(t);
  const first = await fleet.worker();
  await eventually(() => first.isElected);
  const second = await fleet.worker();
  const waiting = await fleet.image(1);
  await fleet.seen(waiting, 'acme', 'job_w', { kept: 'yes' }); // encoded only after the first has stopped
  await fleet.encoded(await fleet.image(20), 'acme');
  await listed(fleet, 'acme', 1);
  t.false(second.isElected);
  await first.stop();
  await fleet.encoded(waiting, 'acme');
  const images = await listed(fleet, 'acme', 2);
  t.true(second.isElected);
  const kept = await eventually(async () =>
    (await list(fleet, 'acme')).find(({ metadata }) => metadata['kept'] === 'yes'),
  );
  t.is(kept.mmHash, waiting.mmHash);
  t.is(images.length, 2);
});

test('backfill indexes what the store holds, and takes out what it does not', async (t) => {
  const fleet = await testFleet(t);
  const [shared, scoped, swept] = [
    await fleet.image(10),
    await fleet.image(20, 'acme'),
    await fleet.image(30),
  ];
  await fleet.save(shared, 'acme');
  await fleet.save(scoped, 'acme');
  const withoutPicture = await fleet.image(40);
  await fleet.save(withoutPicture, 'acme');
  await fleet.store.delete(withoutPicture.input.key);
  await fleet.worker();
  await fleet.encoded(swept, 'acme');
  await listed(fleet, 'acme', 3);
  await fleet.usage.claim(swept.mmHash, { force: true });
  await fleet.store.delete(embeddingKey('embeddings', swept.mmHash));
  const result = await fleet.client.write({ op: 'backfill' });
  t.deepEqual(result, { added: 0, removed: 1, unknown: 1 });
  const found = await listed(fleet, 'acme', 2);
  t.deepEqual(new Set(found.map(({ mmHash }) => mmHash)), new Set([shared.mmHash, scoped.mmHash]));
  t.like(found[0], { width: 40, height: 30, mediaType: 'image/png' });
});

test('a sweep that is noticed takes rows out at once, unless the embedding is there again', async (t) => {
  const fleet = await testFleet(t);
  await fleet.worker();
  const [swept, again] = [await fleet.image(10), await fleet.image(20)];
  await fleet.encoded(swept, 'acme');
  await fleet.encoded(again, 'other');
  await listed(fleet, 'acme', 1);
  await fleet.store.delete(embeddingKey('embeddings', swept.mmHash));
  await fleet.notices.gone(again.mmHash);
  await fleet.notices.gone(swept.mmHash);
  await listed(fleet, 'acme', 0);
  t.is((await list(fleet, 'other')).length, 1);
});

test('recommendations go towards the positive and away from the negative examples', async (t) => {
  const fleet = await testFleet(t);
  await fleet.worker();
  const angles = [0, 20, 60, 80];
  for (const degrees of angles) await fleet.encoded(await fleet.image(degrees), 'acme');
  await listed(fleet, 'acme', angles.length);
  const idAt = async (degrees: number) => imageId('acme', (await fleet.image(degrees)).mmHash);
  const order = async (strategy: 'average_vector' | 'best_score', more: object) => {
    const { hits } = await fleet.client.query({
      op: 'recommend',
      tenant: 'acme',
      positive: [],
      negative: [],
      strategy,
      limit: 4,
      filter: {},
      ...more,
    });
    return hits.map(({ id }) => id);
  };
  const [zero, twenty, sixty, eighty] = await Promise.all(angles.map(idAt));
  const examples = { positive: [{ id: twenty! }], negative: [{ id: sixty! }] };
  t.deepEqual(await order('average_vector', examples), [zero!, eighty!]);
  t.deepEqual(await order('best_score', examples), [zero!, eighty!]);
  t.is((await order('best_score', { negative: [{ id: zero! }] }))[0], eighty!);
  const thumbnail = await fleet.client.query({
    op: 'thumbnail',
    tenant: 'acme',
    id: zero!,
    edge: 16,
  });
  t.is(Buffer.from(thumbnail.webp, 'base64').subarray(8, 12).toString(), 'WEBP');
});
