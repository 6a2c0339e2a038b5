import { Index, type Connection, type Table } from '@lancedb/lancedb';
import { LRUCache } from 'lru-cache';
import type { EmbeddingIndex, ListSelection, RowKey, ScoredRow } from './embedding-index.ts';
import type { ImageRow } from './image-row.ts';
import {
  DISTANCE,
  detailsOf,
  fromLance,
  lanceSchema,
  toLance,
  type LanceRow,
} from './lance-rows.ts';
import { afterWhere, hashesWhere, idsWhere, whereOf, type Selection } from './where.ts';

/**
 * Fewer rows are compared one by one, in about 20 ms; training an index on them gains little, and its
 * partitions would hold a handful each.
 */
const INDEX_FROM_ROWS = 4_096;
/**
 * Up to here the index holds whole vectors, which are searched fastest; beyond it would take more memory than
 * workers have (2.3 kB a row of width 576), and holds codes of a bit a value.
 */
const WHOLE_UP_TO_ROWS = 200_000;
/** RaBitQ's codes are packed by eight dimensions. */
const INDEX_WIDTH_STEP = 8;
/** Of codes, the candidates for each hit that are compared exactly: at 100,000 rows, with a tenant's filter, 25 found 0.983 of the nearest. */
const REFINE_FACTOR = 50;
/** Ids in one condition: keeps its text below what the parser takes milliseconds for. */
const IDS_A_QUERY = 500;
/** How long a process goes by what kind of index there was. */
const KIND_MS = 60_000;
/** Old states of the table stay for readers that are in the middle of one. */
const OLD_STATES_MS = 10 * 60_000;

const SCALARS = {
  id: () => Index.btree(),
  mm_hash: () => Index.btree(),
  created_at_ms: () => Index.btree(),
  owner: () => Index.bitmap(),
  tags: () => Index.labelList(),
} as const;

/** `kind`: as the database names it. */
const WHOLE = { kind: 'IvfFlat', config: () => Index.ivfFlat({ distanceType: 'cosine' }) } as const;
const CODES = { kind: 'IvfRq', config: () => Index.ivfRq({ distanceType: 'cosine' }) } as const;

/**
 * `EmbeddingIndex` on LanceDB: a table in a folder or a bucket. The rows' ids are declared its key, for two
 * merges of the same new id would otherwise leave two rows.
 */
export class LanceIndex implements EmbeddingIndex {
  readonly width: number;
  readonly #table: Table;
  /** The kind of index of a column. A look that is under way when an index was made answers its caller, no other. */
  readonly #kind = new LRUCache<string, { readonly name: string | undefined }>({
    max: 1,
    ttl: KIND_MS,
    ignoreFetchAbort: true,
    fetchMethod: async (column) => {
      const indices = await this.#table.listIndices();
      return { name: indices.find(({ columns }) => columns.includes(column))?.indexType };
    },
  });

  private constructor(table: Table, width: number) {
    this.#table = table;
    this.width = width;
  }

  static async create(db: Connection, name: string, width: number): Promise<LanceIndex> {
    const table = await db.createEmptyTable(name, lanceSchema(width), { existOk: true });
    try {
      await table.setUnenforcedPrimaryKey('id');
    } catch (error) {
      // It is set once, by the process that made the table.
      if (!/primary key/i.test(String(error))) throw error;
    }
    return LanceIndex.#over(table);
  }

  static async open(db: Connection, name: string): Promise<LanceIndex> {
    return LanceIndex.#over(await db.openTable(name));
  }

  static async #over(table: Table): Promise<LanceIndex> {
    const { fields } = await table.schema();
    const vector = fields.find(({ name }) => name === 'vector')?.type as { listSize: number };
    return new LanceIndex(table, vector.listSize);
  }

  async upsert(rows: readonly ImageRow[]): Promise<void> {
    if (rows.length === 0) return;
    for (const { vector } of rows) this.#checkWidth(vector);
    await this.#table
      .mergeInsert('id')
      .whenMatchedUpdateAll({ where: 'source.rev > target.rev' })
      .whenNotMatchedInsertAll()
      .execute(rows.map(toLance));
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const some of chunks(ids)) await this.#table.delete(idsWhere(some));
  }

  find(ids: readonly string[]): Promise<ImageRow[]> {
    return this.#all(ids, idsWhere);
  }

  findByHash(mmHashes: readonly string[]): Promise<ImageRow[]> {
    return this.#all(mmHashes, hashesWhere);
  }

  async query(
    vector: Float32Array,
    selection: Selection,
    k: number,
    { exact = false }: { readonly exact?: boolean } = {},
  ): Promise<ScoredRow[]> {
    this.#checkWidth(vector);
    const nearest = this.#table
      .query()
      .nearestTo(vector)
      .column('vector')
      .distanceType('cosine')
      .where(whereOf(selection))
      .select(['details', DISTANCE])
      .limit(k);
    const isCoded = (await this.#vectorIndex()) === CODES.kind;
    const approximate = isCoded ? nearest.refineFactor(REFINE_FACTOR) : nearest;
    const found = exact ? nearest.bypassVectorIndex() : approximate;
    const rows = (await found.toArray()) as LanceRow[];
    return rows.map((row) => Object.assign(detailsOf(row), { score: 1 - (row[DISTANCE] ?? 1) }));
  }

  async list({ limit, order, after, ...selection }: ListSelection): Promise<ImageRow[]> {
    const where = [whereOf(selection), ...(after ? [afterWhere(after, order)] : [])].join(' AND ');
    const ascending = order === 'asc';
    const rows = (await this.#table
      .query()
      .where(where)
      .orderBy([
        { columnName: 'created_at_ms', ascending },
        { columnName: 'id', ascending },
      ])
      .limit(limit)
      .toArray()) as LanceRow[];
    return rows.map(fromLance);
  }

  async *keys(): AsyncIterable<RowKey> {
    const columns = this.#table.query().select(['id', 'mm_hash', 'deleted_at_ms']);
    for await (const batch of columns) {
      for (const row of batch.toArray() as unknown as LanceRow[])
        yield { id: row.id, mmHash: row.mm_hash, deletedAtMs: row.deleted_at_ms };
    }
  }

  count(): Promise<number> {
    return this.#table.countRows();
  }

  async maintain(): Promise<void> {
    const indices = await this.#table.listIndices();
    const present = new Set(indices.flatMap(({ columns }) => columns));
    const rows = await this.#table.countRows();
    if (rows === 0) return;
    for (const [column, config] of Object.entries(SCALARS)) {
      if (!present.has(column)) await this.#table.createIndex(column, { config: config() });
    }
    await this.#indexVectors(rows);
    await this.#table.optimize({ cleanupOlderThan: new Date(Date.now() - OLD_STATES_MS) });
  }

  async #indexVectors(rows: number): Promise<void> {
    if (rows < INDEX_FROM_ROWS) return;
    const codes = rows > WHOLE_UP_TO_ROWS && this.width % INDEX_WIDTH_STEP === 0;
    const { kind, config } = codes ? CODES : WHOLE;
    this.#kind.clear();
    if ((await this.#vectorIndex()) !== kind)
      await this.#table.createIndex('vector', { config: config(), replace: true });
    this.#kind.clear();
  }

  /** Undefined: there is none yet. */
  async #vectorIndex(): Promise<string | undefined> {
    return (await this.#kind.fetch('vector'))?.name;
  }

  async #all(words: readonly string[], where: (some: readonly string[]) => string) {
    const found: ImageRow[] = [];
    for (const some of chunks(words)) {
      const rows = (await this.#table.query().where(where(some)).toArray()) as LanceRow[];
      found.push(...rows.map(fromLance));
    }
    return found;
  }

  /** The database itself would take a vector of any length. */
  #checkWidth({ length }: Float32Array): void {
    if (length === this.width) return;
    throw new TypeError(`Vectors of this index have ${this.width} values, not ${length}`);
  }
}

function* chunks(words: readonly string[]): Iterable<readonly string[]> {
  for (let at = 0; at < words.length; at += IDS_A_QUERY) yield words.slice(at, at + IDS_A_QUERY);
}
