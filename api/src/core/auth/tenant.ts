/** Bounds of one tenant; 0: none. */
export interface TenantLimits {
  readonly requestsPerMinute: number;
  /** Tokens of prompts and of the longest answers requested. */
  readonly tokensPerMinute: number;
  /** Cost, in tokens, of jobs that have not ended. */
  readonly waitingCost: number;
  /** Files that it keeps, and their bytes. */
  readonly files: number;
  readonly fileBytes: number;
  /** Uploads by URL that were opened and not completed. */
  readonly openUploads: number;
  /** Batches at work. */
  readonly activeBatches: number;
  /** The most urgent priority that its jobs may have: lower runs first. Not a bound that 0 lifts. */
  readonly minPriority: number;
}

/** The bounds of priorities: lower runs first. */
export const MOST_URGENT = -100;
export const LEAST_URGENT = 100;

/** On whose behalf a request is made. */
export interface Tenant {
  readonly id: string;
  /** Within it equal pictures share one embedding; empty: with everybody who shares. */
  readonly embeddingScope: string;
  readonly limits: TenantLimits;
  /** Hosts that its webhooks may be sent to. */
  readonly webhookHosts: readonly string[];
}

/** Without API keys there is one tenant, and only this machine can reach it. */
export const LOCAL_TENANT_ID = 'local';

/** On whose behalf the operator asks where there are keys. No key can be made for it: see `TENANT_ID`. */
export const ADMIN_TENANT_ID = '_admin';

/** Part of Redis keys and of nothing else, and readable in logs. */
export const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;
