import { Type, type Static } from 'typebox';

/** What the fleet must know of a model without reading its folder. Registered by workers. */
export const ModelCard = Type.Object({
  v: Type.Literal(1),
  id: Type.String(),
  fingerprint: Type.String(),
  /** Digest of all that shapes answers; absent on the card of an encoder, which reads no decoder. */
  revision: Type.Optional(Type.String({ minLength: 1 })),
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
  /** What its chat template can be told beside messages; absent: not known, so nothing. */
  templateOptions: Type.Optional(Type.Array(Type.String())),
  createdAtMs: Type.Number(),
});
export type ModelCard = Static<typeof ModelCard>;

export type WorkerRole = 'encoder' | 'prefill-decode';

/** One revision of a model that prefill/decode workers have registered. */
export interface ModelRevision {
  readonly revision: string;
  readonly card: ModelCard;
  /** Live prefill/decode workers. */
  readonly workers: number;
  /** The model's name points to it. */
  readonly serving: boolean;
  /** An operator has pointed the name to it: it stays there, whoever is alive. */
  readonly pinned: boolean;
}

/** A worker that has announced itself. */
export interface Announced {
  /** Whether the register has its lease: not, for up to a renewal, after Redis has lost it. */
  isListed(): Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * The facts of a model outlive its workers for a while; whether workers are there is a lease. A model's
 * name points to one revision at a time: to the first that was registered, while workers of it live, then
 * to one whose workers do. `serve` moves it, and keeps it there while the model is listed. A name that is pinned
 * to a revision without workers is served by nobody, however many workers stand by.
 */
export interface ModelRegistry {
  /** Announces a worker, and until `stop` renews its lease, and its model's card should that be lost. */
  /** `onServing`: whether the model's name points to the card's revision, at first and when it changes. */
  announce(
    role: WorkerRole,
    worker: string,
    card: ModelCard,
    onServing?: (serving: boolean) => void,
  ): Promise<Announced>;
  models(): Promise<ModelCard[]>;
  model(id: string): Promise<ModelCard | null>;
  /** Live workers of a model by role; prefill/decode workers of the revision that its name points to. */
  workers(model: string): Promise<{ encoder: number; prefillDecode: number }>;
  /** How long ago a prefill/decode worker that served the model last renewed its lease, in ms; null: never. */
  unservedMs(model: string): Promise<number | null>;
  /** The one that serves comes first. */
  revisions(model: string): Promise<ModelRevision[]>;
  /**
   * Points the name to a revision that is registered and pins it there; null: unpins. False, and nothing
   * changes, when the revision is not registered.
   */
  serve(model: string, revision: string | null): Promise<boolean>;
}
