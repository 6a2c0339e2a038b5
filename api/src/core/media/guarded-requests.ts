import { Lazy } from '@epd/connector';
import type { Dispatcher, request } from 'undici';
import type { AddressPolicy } from './address-policy.ts';

type RequestOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> &
  Partial<Pick<Dispatcher.RequestOptions, 'method'>>;

interface Client {
  readonly agent: Dispatcher;
  readonly request: typeof request;
}

/**
 * HTTP requests to addresses that the policy allows. The client is loaded with the first request: many an
 * API never makes one, and would start later and keep more memory for it.
 */
export class GuardedRequests {
  readonly #client: Lazy<Client>;

  constructor(policy: AddressPolicy) {
    this.#client = new Lazy(() => loadClient(policy));
  }

  /** Rejects with `AddressRefusedError` before a byte is sent. */
  async request(url: URL | string, options: RequestOptions): Promise<Dispatcher.ResponseData> {
    const client = await this.#client.get();
    return client.request(url, { ...options, dispatcher: client.agent });
  }

  async close(): Promise<void> {
    await (await this.#client.made())?.agent.close();
  }
}

async function loadClient(policy: AddressPolicy): Promise<Client> {
  const [undici, guarded] = await Promise.all([import('undici'), import('./guarded-agent.ts')]);
  return { agent: guarded.createGuardedAgent(policy), request: undici.request };
}
