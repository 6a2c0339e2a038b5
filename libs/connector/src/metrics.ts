/**
 * Metrics hooks of the connector. Every method returns at once and never throws. The default does
 * nothing; a service passes an implementation that feeds its own metrics.
 */
export interface ConnectorMetrics {
  /** A lookup found the item. `where` is a tier's name. */
  hit(where: string): void;
  /** A lookup found nothing usable: `absent`, or why the object was unusable. */
  miss(reason: string): void;
  saved(bytes: number, ms: number): void;
  loaded(tier: string, bytes: number, ms: number): void;
  /** A request joined an encode that was requested already. */
  joined(): void;
  /** An encode was requested. */
  requested(): void;
  /** A completion event was skipped: its version or its shape is unknown. */
  eventSkipped(reason: string): void;
  /** The sweeper deleted an embedding. */
  swept(reason: string, bytes: number): void;
}

const nothing = (): void => {};

export const NO_METRICS: ConnectorMetrics = {
  hit: nothing,
  miss: nothing,
  saved: nothing,
  loaded: nothing,
  joined: nothing,
  requested: nothing,
  eventSkipped: nothing,
  swept: nothing,
};
