import { Type, type Static } from 'typebox';

/** What the fleet must know of a model without reading its folder. Registered by workers. */
export const ModelCard = Type.Object({
  v: Type.Literal(1),
  id: Type.String(),
  fingerprint: Type.String(),
  /** Options of the image processor that shape the embeddings; part of the `mm_hash`. */
  processing: Type.Record(Type.String(), Type.Unknown()),
  /** `@epd/model`'s ImageGeometry: how many tokens an image of a size costs. */
  geometry: Type.Record(Type.String(), Type.Unknown()),
  contextLength: Type.Integer({ minimum: 1 }),
  /** The most bytes of text that one token can stand for. */
  bytesPerTokenMax: Type.Integer({ minimum: 1 }),
  hiddenSize: Type.Integer({ minimum: 1 }),
  /** Values in a row of an image's embedding; absent in cards of older workers: `hiddenSize`. */
  embeddingWidth: Type.Optional(Type.Integer({ minimum: 1 })),
  createdAtMs: Type.Number(),
});
export type ModelCard = Static<typeof ModelCard>;

export type WorkerRole = 'encoder' | 'prefill-decode';

/** A worker that has announced itself. */
export interface Announced {
  /** Whether the register has its lease: not, for up to a renewal, after Redis has lost it. */
  isListed(): Promise<boolean>;
  stop(): Promise<void>;
}

/** The facts of a model outlive its workers; whether workers are there is a lease. */
export interface ModelRegistry {
  /** Announces a worker, and until `stop` renews its lease, and its model's card should that be lost. */
  announce(role: WorkerRole, worker: string, card: ModelCard): Promise<Announced>;
  models(): Promise<ModelCard[]>;
  model(id: string): Promise<ModelCard | null>;
  /** Live workers of a model by role. */
  workers(model: string): Promise<{ encoder: number; prefillDecode: number }>;
}
