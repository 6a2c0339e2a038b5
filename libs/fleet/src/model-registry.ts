import { Type, type Static } from 'typebox';

/** What the fleet must know about a model without reading its folder. Workers register it. */
export const ModelCard = Type.Object({
  v: Type.Literal(1),
  id: Type.String(),
  fingerprint: Type.String(),
  /**
   * Digest of everything that shapes answers; absent on the card of an encoder, which reads no
   * decoder.
   */
  revision: Type.Optional(Type.String({ minLength: 1 })),
  /** Options of the image processor that shape the embeddings; part of the `mm_hash`. */
  processing: Type.Record(Type.String(), Type.Unknown()),
  /** `@epd/model`'s ImageGeometry: how many tokens an image of a size costs. */
  geometry: Type.Record(Type.String(), Type.Unknown()),
  contextLength: Type.Integer({ minimum: 1 }),
  /** Maximum bytes of text per token. */
  bytesPerTokenMax: Type.Integer({ minimum: 1 }),
  hiddenSize: Type.Integer({ minimum: 1 }),
  /** Values per row of an image embedding; absent in cards of older workers: `hiddenSize`. */
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
  /** An operator pinned the name to it: it stays there, regardless of live workers. */
  readonly pinned: boolean;
}

/** A worker that has registered. */
export interface Announced {
  /** Whether the registry has its lease: false for up to one renewal after Redis lost it. */
  isListed(): Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * A model's card outlives its workers for a while; live workers hold leases. A model's name points
 * to one revision at a time: to the first that was registered while it has live workers, then to
 * another one with live workers. `serve` moves the name, and pins it while the model is listed. No
 * worker serves a name that is pinned to a revision without workers, however many workers are on
 * standby.
 */
export interface ModelRegistry {
  /**
   * Registers a worker, and until `stop` renews its lease, and its model's card if that is lost.
   */
  /**
   * `onServing`: whether the model's name points to the card's revision, initially and on changes.
   */
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
  /** The serving revision comes first. */
  revisions(model: string): Promise<ModelRevision[]>;
  /**
   * Pins the name to a registered revision; null: unpins. False, without a change, when the
   * revision is not registered.
   */
  serve(model: string, revision: string | null): Promise<boolean>;
}
