import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import type { ErrorBody } from '../../src/http/errors.ts';
import type { JobView } from '../../src/core/jobs/job-view-schema.ts';
import { dataUri } from './pictures.ts';

export const textPart = (text: string) => ({ type: 'text', text });
export const imagePart = (url: string) => ({ type: 'image_url', image_url: { url } });

/** A user's question, about pictures if any are given. */
export const question = (text: string, ...pictures: Uint8Array[]) => ({
  messages: [
    {
      role: 'user',
      content: [...pictures.map((bytes) => imagePart(dataUri(bytes))), textPart(text)],
    },
  ],
});

export function post(
  app: FastifyInstance,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });
}

// Says what the test expects; the assertions after it check that.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export const jsonOf = <T>(response: LightMyRequestResponse): T => response.json<T>();
export const jobOf = (response: LightMyRequestResponse): JobView => jsonOf<JobView>(response);
export const errorOf = (response: LightMyRequestResponse): ErrorBody['error'] =>
  jsonOf<ErrorBody>(response).error;
