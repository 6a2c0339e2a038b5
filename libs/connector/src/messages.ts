import { Type, type Static } from 'typebox';
import { keyName } from './key-name.ts';

/**
 * Messages between processes. Every message carries its version; a reader that does not know a
 * version returns the message to the queue instead of guessing. Media and embeddings are passed by
 * reference only.
 */
export const MESSAGE_VERSION = 1;

const Version = Type.Literal(MESSAGE_VERSION);
const MmHash = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** Modalities that an encoder can encode. */
export type Modality = 'image' | 'frame';

/**
 * An image as accepted: the store key of its bytes and the facts of its header. Sizes in pixels and
 * bytes.
 */
export const InputRef = Type.Object({
  key: Type.String(),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  mediaType: Type.String(),
  /**
   * Modality: part of its key. Any string is valid, so that a process returns a message with an
   * unknown modality to the queue instead of treating it as damaged. @default image
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
  /** Visual tokens of the image: the unit of batch budgets and of back-pressure. */
  tokens: Type.Integer({ minimum: 1 }),
  requestedAtMs: Type.Number(),
  /** The tenant, for the usage index; not part of the key. */
  tenant: Type.Optional(Type.String()),
  /**
   * Priority of the requesting job, -100 (first) to 100: repeated requests use the same. @default 0
   */
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

/** Timings of an encode, in milliseconds. `batch` is the number of images encoded together. */
export const EncodeTimings = Type.Object({
  queueMs: Type.Number(),
  preprocessMs: Type.Number(),
  encodeMs: Type.Number(),
  saveMs: Type.Number(),
  batch: Type.Integer({ minimum: 0 }),
});
export type EncodeTimings = Static<typeof EncodeTimings>;

/** What the image index needs of a stored image. Announced only if the fleet has an index. */
export const IndexedItem = Type.Object({
  model: Type.String(),
  fingerprint: Type.String(),
  input: InputRef,
  /** The tenant it was encoded for; without one nobody can find it. */
  tenant: Type.Optional(Type.String()),
  /**
   * Its pooled vector: base64 of 16-bit floats, little endian. Without one a reader computes it
   * from the rows.
   */
  vector: Type.Optional(Type.String()),
});
export type IndexedItem = Static<typeof IndexedItem>;

/** Announced on the completion stream, only once the embedding is durable (or has failed). */
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

/** Whether it is a frame of a video, and not a picture by itself. */
export const isFrame = ({ modality }: Pick<InputRef, 'modality'>): boolean => modality === 'frame';

export const modalityOf = ({ modality = 'image' }: Pick<InputRef, 'modality'>): string => modality;

export const encodeJobId = (mmHash: string): string => `encode-${mmHash}`;
export const encodeQueueName = (model: string): string => `encode-${keyName(model)}`;
export const generateQueueName = (model: string): string => `generate-${keyName(model)}`;
