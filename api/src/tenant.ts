/** On whose behalf a request is made. */
export interface Tenant {
  readonly id: string;
  /** Within it equal pictures share one embedding; empty: with everybody who shares. */
  readonly embeddingScope: string;
}

/** Without API keys there is one tenant, and only this machine can reach it. */
export const LOCAL_TENANT: Tenant = { id: 'local', embeddingScope: '' };
