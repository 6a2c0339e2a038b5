import { createServer } from 'node:net';
import { portOf } from './port-of.ts';

/** A port of 127.0.0.1 that was free a moment ago. Prefer port 0 where the server reports its own. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const port = portOf(server);
      server.close(() => resolve(port));
    });
  });
}
