import {
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  List,
  Schema,
  Utf8,
  type DataType,
} from 'apache-arrow';
import { tagsOf, type ImageRow } from './image-row.ts';

const field = (name: string, type: DataType): Field => new Field(name, type, false);
const item = (type: DataType): Field => new Field('item', type, true);

/**
 * What is searched and sorted by has a column; all of a row but its vector is in `details` as JSON too, for a
 * column costs each hit a read of its own.
 */
export const lanceSchema = (width: number): Schema =>
  new Schema([
    field('id', new Utf8()),
    field('owner', new Utf8()),
    field('mm_hash', new Utf8()),
    field('created_at_ms', new Float64()),
    field('deleted_at_ms', new Float64()),
    field('rev', new Int32()),
    field('tags', new List(item(new Utf8()))),
    field('details', new Utf8()),
    field('vector', new FixedSizeList(width, item(new Float32()))),
  ]);

/** The column in which a query returns a row's distance. */
export const DISTANCE = '_distance';

/** What the database returns for a row: columns by name, lists as Arrow's vectors. */
export interface LanceRow {
  readonly id: string;
  readonly mm_hash: string;
  readonly deleted_at_ms: number;
  readonly details: string;
  readonly vector: { toArray(): Float32Array };
  readonly [DISTANCE]?: number;
}

/** A row that its tenant deleted has no owner: one condition selects owned and existing rows. */
export const toLance = ({ vector, ...details }: ImageRow): Record<string, unknown> => ({
  id: details.id,
  owner: details.deletedAtMs === 0 ? details.tenant : '',
  mm_hash: details.mmHash,
  created_at_ms: details.createdAtMs,
  deleted_at_ms: details.deletedAtMs,
  rev: details.rev,
  tags: tagsOf(details),
  details: JSON.stringify(details),
  vector,
});

export const fromLance = (row: LanceRow): ImageRow => ({
  ...detailsOf(row),
  vector: Float32Array.from(row.vector.toArray()),
});

export const detailsOf = ({ details }: Pick<LanceRow, 'details'>): Omit<ImageRow, 'vector'> =>
  JSON.parse(details) as Omit<ImageRow, 'vector'>;
