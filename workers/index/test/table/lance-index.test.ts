import { tempFolder } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { ImageTables } from '../../src/table/image-tables.ts';
import { at, rowOf, WIDTH } from '../helpers/rows.ts';

async function twoProcesses(t: ExecutionContext) {
  const folder = await tempFolder(t);
  const open = () => ImageTables.connect({ kind: 'folder', root: folder }, folder);
  const [writer, reader] = [await open(), await open()];
  t.teardown(async () => {
    writer.close();
    reader.close();
  });
  return { writer: await writer.make('fingerprint', WIDTH), reader };
}

const names = (rows: readonly { readonly metadata: Readonly<Record<string, string>> }[]) =>
  rows.map(({ metadata }) => metadata['name']);

const named = (name: string, changed: Parameters<typeof rowOf>[1] = {}) =>
  rowOf(name, { ...changed, metadata: { name, ...changed.metadata } });

test('a reader finds what another process wrote, the nearest first', async (t) => {
  const { writer, reader } = await twoProcesses(t);
  const table = (await reader.find('fingerprint'))!;
  t.is(await reader.find('another version'), null);
  await writer.upsert([named('a'), named('b', { vector: at(30) }), named('c', { vector: at(80) })]);
  const found = await table.query(at(25), { tenant: 'acme', filter: {} }, 2);
  t.deepEqual(names(found), ['b', 'a']);
  t.true(Math.abs(found[0]!.score - Math.cos((5 * Math.PI) / 180)) < 1e-4);
});

test('writing the same rows again, or older ones, changes nothing', async (t) => {
  const { writer } = await twoProcesses(t);
  const row = named('a');
  await writer.upsert([row]);
  await Promise.all([
    writer.upsert([{ ...row, rev: 2, jobs: ['job_1'] }]),
    writer.upsert([named('b')]),
  ]);
  await writer.upsert([row]);
  await writer.upsert([{ ...row, rev: 2, jobs: ['job_late'] }]);
  t.is(await writer.count(), 2);
  const [now] = await writer.find([row.id]);
  t.deepEqual(now, { ...row, rev: 2, jobs: ['job_1'] });
});

test('a query sees one tenant, whatever the filter says', async (t) => {
  const { writer } = await twoProcesses(t);
  const value = "x' OR tenant = 'other' --";
  await writer.upsert([
    named('mine', { metadata: { [value]: value } }),
    named('theirs', { tenant: 'other', metadata: { [value]: value } }),
  ]);
  const filter = { metadata: { [value]: [value, "') OR true OR ('"] } };
  t.deepEqual(names(await writer.query(at(0), { tenant: 'acme', filter }, 10)), ['mine']);
  const list = { tenant: 'acme', filter, limit: 10, order: 'asc' } as const;
  t.deepEqual(names(await writer.list(list)), ['mine']);
  for (const tenant of ["acme' OR '1' = '1", 'acme" OR true', '']) {
    await t.throwsAsync(writer.query(at(0), { tenant, filter: {} }, 10), { instanceOf: TypeError });
  }
  const hostileTime = { createdFromMs: Number.NaN };
  await t.throwsAsync(writer.query(at(0), { tenant: 'acme', filter: hostileTime }, 10), {
    instanceOf: TypeError,
  });
});

test('filters on metadata and time narrow queries and lists; deleted rows show nowhere', async (t) => {
  const { writer } = await twoProcesses(t);
  await writer.upsert([
    named('red', { metadata: { colour: 'red' }, createdAtMs: 1 }),
    named('blue', { metadata: { colour: 'blue' }, createdAtMs: 2 }),
    named('green', { metadata: { colour: 'green', odd: 'yes' }, createdAtMs: 3 }),
    named('gone', { createdAtMs: 2, deletedAtMs: 5 }),
  ]);
  const list = async (filter: object) =>
    names(await writer.list({ tenant: 'acme', filter, limit: 10, order: 'desc' }));
  t.deepEqual(await list({}), ['green', 'blue', 'red']);
  t.deepEqual(await list({ metadata: { colour: ['red', 'green'] } }), ['green', 'red']);
  t.deepEqual(await list({ metadata: { colour: ['red', 'green'], odd: ['yes'] } }), ['green']);
  t.deepEqual(await list({ metadata: { colour: [] } }), []);
  t.deepEqual(await list({ createdFromMs: 2, createdBeforeMs: 3 }), ['blue']);
});

test('a list continues after a row, ids breaking ties of time', async (t) => {
  const { writer } = await twoProcesses(t);
  const rows = ['a', 'b', 'c', 'd'].map((name) =>
    named(name, { createdAtMs: name === 'a' ? 1 : 2 }),
  );
  await writer.upsert(rows);
  for (const order of ['asc', 'desc'] as const) {
    const all = await writer.list({ tenant: 'acme', filter: {}, limit: 10, order });
    const paged: typeof all = [];
    for (let page = all.slice(0, 1); page.length > 0;) {
      paged.push(...page);
      const after = page.at(-1)!;
      page = await writer.list({ tenant: 'acme', filter: {}, limit: 1, order, after });
    }
    t.deepEqual(paged, all);
    t.is(all.length, 4);
  }
});

test('what is removed is gone, maintenance loses nothing, a vector of another width is refused', async (t) => {
  const { writer, reader } = await twoProcesses(t);
  const rows = ['a', 'b', 'c'].map((name, i) => named(name, { vector: at(20 * i) }));
  for (const row of rows) await writer.upsert([row]);
  await writer.remove([rows[0]!.id, 'img_unknown']);
  await writer.maintain();
  await writer.upsert([named('d', { vector: at(5) })]);
  await writer.maintain();
  const table = (await reader.find('fingerprint'))!;
  const found = await table.query(at(0), { tenant: 'acme', filter: {} }, 10);
  t.deepEqual(names(found), ['d', 'b', 'c']);
  t.deepEqual(names(await table.findByHash([rows[1]!.mmHash])), ['b']);
  const wide = at(0, WIDTH + 1);
  await t.throwsAsync(writer.upsert([named('e', { vector: wide })]), { instanceOf: TypeError });
  await t.throwsAsync(table.query(wide, { tenant: 'acme', filter: {} }, 1), {
    message: /16 values/,
  });
});
