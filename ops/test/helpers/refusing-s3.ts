import { createServer } from 'node:http';
import { freePort } from '@epd/service/testing';
import type { Test } from './running-fleet.ts';

/** A server that answers every request with one of S3's errors; its address. HEAD has no body, as in S3. */
export async function refusingS3(t: Test, status: number, code: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/xml' });
    const body = `<Error><Code>${code}</Code><Message>as it is</Message></Error>`;
    response.end(request.method === 'HEAD' ? '' : body);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}
