/** Bounds of one tenant; 0: none. */
export interface TenantLimits {
  readonly requestsPerMinute: number;
  /** Tokens of prompts and of the longest answers asked for. */
  readonly tokensPerMinute: number;
  /** Cost, in tokens, of jobs that have not ended. */
  readonly waitingCost: number;
}

/** On whose behalf a request is made. */
export interface Tenant {
  readonly id: string;
  /** Within it equal pictures share one embedding; empty: with everybody who shares. */
  readonly embeddingScope: string;
  readonly limits: TenantLimits;
}

/** Without API keys there is one tenant, and only this machine can reach it. */
export const LOCAL_TENANT_ID = 'local';

/** Part of Redis keys and of nothing else, and readable in logs. */
export const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;
