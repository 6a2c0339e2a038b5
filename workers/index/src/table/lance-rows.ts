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

/** Metadata and jobs are JSON: they are shown, and searched by their tags. */
export const lanceSchema = (width: number): Schema =>
  new Schema([
    field('id', new Utf8()),
    field('tenant', new Utf8()),
    field('model', new Utf8()),
    field('mm_hash', new Utf8()),
    field('sha256', new Utf8()),
    field('media_type', new Utf8()),
    field('bytes', new Float64()),
    field('width', new Int32()),
    field('height', new Int32()),
    field('created_at_ms', new Float64()),
    field('deleted_at_ms', new Float64()),
    field('rev', new Int32()),
    field('tags', new List(item(new Utf8()))),
    field('metadata', new Utf8()),
    field('jobs', new Utf8()),
    field('vector', new FixedSizeList(width, item(new Float32()))),
  ]);

/** Where a query puts how far a row is from what was asked for. */
export const DISTANCE = '_distance';

/** What the database hands back for a row: columns by name, lists as Arrow's vectors. */
export interface LanceRow {
  readonly id: string;
  readonly tenant: string;
  readonly model: string;
  readonly mm_hash: string;
  readonly sha256: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly created_at_ms: number;
  readonly deleted_at_ms: number;
  readonly rev: number;
  readonly metadata: string;
  readonly jobs: string;
  readonly vector: { toArray(): Float32Array };
  readonly [DISTANCE]?: number;
}

export const toLance = (row: ImageRow): Record<string, unknown> => ({
  id: row.id,
  tenant: row.tenant,
  model: row.model,
  mm_hash: row.mmHash,
  sha256: row.sha256,
  media_type: row.mediaType,
  bytes: row.bytes,
  width: row.width,
  height: row.height,
  created_at_ms: row.createdAtMs,
  deleted_at_ms: row.deletedAtMs,
  rev: row.rev,
  tags: tagsOf(row),
  metadata: JSON.stringify(row.metadata),
  jobs: JSON.stringify(row.jobs),
  vector: row.vector,
});

export const fromLance = (row: LanceRow): ImageRow => ({
  id: row.id,
  tenant: row.tenant,
  model: row.model,
  mmHash: row.mm_hash,
  sha256: row.sha256,
  mediaType: row.media_type,
  bytes: row.bytes,
  width: row.width,
  height: row.height,
  createdAtMs: row.created_at_ms,
  deletedAtMs: row.deleted_at_ms,
  rev: row.rev,
  metadata: JSON.parse(row.metadata) as Record<string, string>,
  jobs: JSON.parse(row.jobs) as string[],
  vector: Float32Array.from(row.vector.toArray()),
});
