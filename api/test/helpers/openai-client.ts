import type { ExecutionContext } from 'ava';
import OpenAI from 'openai';
import type { ApiConfig } from '../../src/config.ts';
import { echoWorker } from './echo-worker.ts';
import { listen } from './sse-client.ts';
import { testApi, type TestApi } from './test-api.ts';

export interface ClientAndApi {
  readonly client: OpenAI;
  readonly api: TestApi;
  readonly baseURL: string;
}

/** The official client, unmodified, at an API of its own that is answered by an echoing worker, or by its test. */
export async function openaiClient(
  t: ExecutionContext,
  overrides: Partial<ApiConfig> = {},
  { answers = true } = {},
): Promise<ClientAndApi> {
  const api = await testApi(t, overrides);
  if (answers) await echoWorker(t, api);
  const baseURL = `${await listen(api.app)}/v1`;
  return { client: new OpenAI({ baseURL, apiKey: 'none needed', maxRetries: 0 }), api, baseURL };
}
