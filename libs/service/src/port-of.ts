import type { Server } from 'node:net';

/** The TCP port that a listening server has. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new TypeError('Not listening on a port');
  return address.port;
}
