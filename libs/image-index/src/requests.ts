import { Type, type Static } from 'typebox';
import { IMAGE_ID_PATTERN } from './image-id.ts';

/** Most hits of one search: what a page can show, and bounds what a reader holds. */
export const MAX_HITS = 200;
/** Most examples of one recommendation. */
export const MAX_EXAMPLES = 50;
/** Most pairs of metadata of an image; as many as a job may bring. */
export const MAX_METADATA_PAIRS = 16;
/** Ids of jobs that an image remembers, newest first. */
export const MAX_JOBS = 16;

const ImageId = Type.String({ pattern: IMAGE_ID_PATTERN });
const Tenant = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' });

/** An image to compare with: a stored one by its id, or a vector (base64 of 16-bit floats). */
const Example = Type.Union([
  Type.Object({ id: ImageId }),
  Type.Object({ vector: Type.String({ minLength: 4 }) }),
]);
export type Example = Static<typeof Example>;

/** Which of a tenant's images count. Metadata: all keys must match, each one of the given values. */
export const ImageFilter = Type.Object({
  metadata: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  /** Seen for the first time at or after, and before; milliseconds since the epoch. */
  createdFromMs: Type.Optional(Type.Number()),
  createdBeforeMs: Type.Optional(Type.Number()),
});
export type ImageFilter = Static<typeof ImageFilter>;

const Scope = {
  tenant: Tenant,
  /** Of the model whose images are meant; without it the model of the first image that is named. */
  fingerprint: Type.Optional(Type.String()),
};

/** Answered by any index worker. */
export const QueryRequest = Type.Union([
  Type.Object({
    op: Type.Literal('search'),
    ...Scope,
    example: Example,
    limit: Type.Integer({ minimum: 1, maximum: MAX_HITS }),
    minScore: Type.Optional(Type.Number()),
    filter: ImageFilter,
  }),
  Type.Object({
    op: Type.Literal('recommend'),
    ...Scope,
    positive: Type.Array(Example, { maxItems: MAX_EXAMPLES }),
    negative: Type.Array(Example, { maxItems: MAX_EXAMPLES }),
    strategy: Type.Union([Type.Literal('average_vector'), Type.Literal('best_score')]),
    limit: Type.Integer({ minimum: 1, maximum: MAX_HITS }),
    minScore: Type.Optional(Type.Number()),
    filter: ImageFilter,
  }),
  Type.Object({
    op: Type.Literal('list'),
    ...Scope,
    limit: Type.Integer({ minimum: 1, maximum: MAX_HITS }),
    order: Type.Union([Type.Literal('asc'), Type.Literal('desc')]),
    after: Type.Optional(ImageId),
    filter: ImageFilter,
  }),
  Type.Object({ op: Type.Literal('get'), tenant: Tenant, id: ImageId }),
  Type.Object({
    op: Type.Literal('thumbnail'),
    tenant: Tenant,
    id: ImageId,
    /** Longest side in pixels. */
    edge: Type.Integer({ minimum: 16, maximum: 512 }),
  }),
]);
export type QueryRequest = Static<typeof QueryRequest>;

/** Done by the writer alone. */
export const WriteRequest = Type.Union([
  Type.Object({
    op: Type.Literal('patch'),
    tenant: Tenant,
    id: ImageId,
    /** Merged into what is there; null removes a key. */
    metadata: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])),
  }),
  Type.Object({ op: Type.Literal('remove'), tenant: Tenant, id: ImageId }),
  Type.Object({ op: Type.Literal('backfill') }),
]);
export type WriteRequest = Static<typeof WriteRequest>;

/** An image as the index knows it. Sizes in pixels and bytes, times in milliseconds since the epoch. */
export interface IndexedImage {
  readonly id: string;
  readonly model: string;
  readonly mmHash: string;
  readonly sha256: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly createdAtMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Ids of jobs that came with it, newest first. */
  readonly jobs: readonly string[];
}

export interface ImageHit extends IndexedImage {
  /** Cosine similarity, 1 for equal vectors; of a recommendation, what its strategy says. */
  readonly score: number;
}

export interface BackfillResult {
  readonly added: number;
  readonly removed: number;
  /** Embeddings whose picture, model or tenant is not known any more. */
  readonly unknown: number;
}

/** What each request is answered with. */
export interface Answers {
  readonly search: { readonly hits: readonly ImageHit[] };
  readonly recommend: { readonly hits: readonly ImageHit[] };
  readonly list: { readonly images: readonly IndexedImage[]; readonly hasMore: boolean };
  readonly get: IndexedImage;
  readonly thumbnail: { readonly webp: string };
  readonly patch: IndexedImage;
  readonly remove: { readonly removed: true };
  readonly backfill: BackfillResult;
}

/** Why a request that was understood has no answer. */
export type RefusalCode = 'image_not_found' | 'vector_width' | 'image_gone' | 'too_much_metadata';

export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string };
