/**
 * Where the connector counts. Every method returns at once and never throws. The default counts
 * nothing; a service hands in one that feeds its own metrics.
 */
export interface ConnectorMetrics {
  /** A look found the item. `where` is a tier's name. */
  hit(where: string): void;
  /** Nothing usable: `absent`, or why what was there could not be used. */
  miss(reason: string): void;
  saved(bytes: number, ms: number): void;
  loaded(tier: string, bytes: number, ms: number): void;
  /** An encode was wanted that somebody else had asked for already. */
  joined(): void;
  /** An encode was asked for. */
  requested(): void;
  /** A completion event was passed over: its version or its shape is unknown. */
  eventSkipped(reason: string): void;
  /** The sweeper removed an embedding. */
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
