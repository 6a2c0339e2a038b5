import { createServer } from 'node:http';

/**
 * The least that can be called an S3 server: objects in memory, conditions on puts, no signatures. A
 * process of its own, so that it takes no time from the client, and fast, so that what the client
 * adds is seen. Says its port on standard output and ends with its parent.
 */
const objects = new Map<string, Buffer>();
const headers = { etag: '"etag"', 'last-modified': new Date().toUTCString() };

const server = createServer((request, response) => {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const reply = (status: number, body?: Buffer): void => {
    response.writeHead(status, { ...headers, 'content-length': body?.byteLength ?? 0 });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const stored = objects.get(path);
    const isBucket = path.lastIndexOf('/') === 0;
    if (request.method === 'PUT' && request.headers['if-none-match'] && stored) return reply(412);
    if (request.method === 'PUT') objects.set(path, Buffer.concat(chunks));
    if (request.method === 'DELETE') objects.delete(path);
    if (request.method === 'PUT' || request.method === 'DELETE' || isBucket) return reply(200);
    return stored ? reply(200, stored) : reply(404);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
process.stdin.resume().on('end', () => process.exit());
