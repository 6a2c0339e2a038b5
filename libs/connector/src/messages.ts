import { Type, type Static } from 'typebox';
import { keyName } from './key-name.ts';

/**
 * What crosses a process. Every message carries its version; a reader that does not know a version
 * hands the message back instead of guessing. Media and embeddings travel by reference only.
 */
export const MESSAGE_VERSION = 1;

const Version = Type.Literal(MESSAGE_VERSION);
const MmHash = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** Kinds of media that an encoder turns into embeddings. */
export type Modality = 'image';

/** An image as accepted: where its bytes are and what its header said. Sizes in pixels and bytes. */
export const InputRef = Type.Object({
  key: Type.String(),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  mediaType: Type.String(),
  /**
   * What kind of media it is: part of its key. A text, for a process hands back what it does not know instead of
   * taking it for damaged. @default image
   */
  modality: Type.Optional(Type.String()),
  bytes: Type.Integer({ minimum: 1 }),
  width: Type.Integer({ minimum: 1 }),
  height: Type.Integer({ minimum: 1 }),
});
export type InputRef = Static<typeof InputRef>;

/** Work for an encoder. Its BullMQ job id is `encodeJobId(mmHash)`: one image is one job. */
export const EncodeJob = Type.Object({
  v: Version,
  mmHash: MmHash,
  model: Type.String(),
  fingerprint: Type.String(),
  input: InputRef,
  /** Visual tokens that the image costs: the unit of batch budgets and of back-pressure. */
  tokens: Type.Integer({ minimum: 1 }),
  requestedAtMs: Type.Number(),
  /** On whose behalf, for the store's books; not part of the key. */
  tenant: Type.Optional(Type.String()),
  /** Of the job that asks, -100 (first) to 100: whoever asks again asks with the same. @default 0 */
  priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
  traceparent: Type.Optional(Type.String()),
});
export type EncodeJob = Static<typeof EncodeJob>;

/** Work for a prefill/decode worker. The prompt is in the job's record, under `jobId`. */
export const GenerateJob = Type.Object({
  v: Version,
  jobId: Type.String(),
  model: Type.String(),
  traceparent: Type.Optional(Type.String()),
});
export type GenerateJob = Static<typeof GenerateJob>;

export const ItemError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Boolean(),
});
export type ItemError = Static<typeof ItemError>;

/** What an encode took, in milliseconds. `batch` is the number of images encoded together. */
export const EncodeTimings = Type.Object({
  queueMs: Type.Number(),
  preprocessMs: Type.Number(),
  encodeMs: Type.Number(),
  saveMs: Type.Number(),
  batch: Type.Integer({ minimum: 0 }),
});
export type EncodeTimings = Static<typeof EncodeTimings>;

/** What the index needs to know of a stored image. Announced only where the fleet has an index. */
export const IndexedItem = Type.Object({
  model: Type.String(),
  fingerprint: Type.String(),
  input: InputRef,
  /** On whose behalf it was encoded; without one nobody is to find it. */
  tenant: Type.Optional(Type.String()),
  /** Its pooled vector: base64 of 16-bit floats, little endian. Without one a reader makes it from the rows. */
  vector: Type.Optional(Type.String()),
});
export type IndexedItem = Static<typeof IndexedItem>;

/** Announced on the completion stream, and only once the embedding is durable (or has failed). */
export const CompletionEvent = Type.Union([
  Type.Object({
    v: Version,
    outcome: Type.Literal('stored'),
    mmHash: MmHash,
    rows: Type.Integer({ minimum: 1 }),
    width: Type.Integer({ minimum: 1 }),
    dtype: Type.Union([Type.Literal('F32'), Type.Literal('F16'), Type.Literal('BF16')]),
    bytes: Type.Integer({ minimum: 1 }),
    etag: Type.String(),
    encoder: Type.String(),
    timings: EncodeTimings,
    item: Type.Optional(IndexedItem),
  }),
  Type.Object({
    v: Version,
    outcome: Type.Literal('failed'),
    mmHash: MmHash,
    encoder: Type.String(),
    error: ItemError,
  }),
]);
export type CompletionEvent = Static<typeof CompletionEvent>;

export const modalityOf = ({ modality = 'image' }: Pick<InputRef, 'modality'>): string => modality;

export const encodeJobId = (mmHash: string): string => `encode-${mmHash}`;
export const encodeQueueName = (model: string): string => `encode-${keyName(model)}`;
export const generateQueueName = (model: string): string => `generate-${keyName(model)}`;
