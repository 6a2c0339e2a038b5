import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections (32768 and up on Linux, 49152 elsewhere): one of those may be
 * taken by anybody between now and its use. Above those that browsers refuse.
 */
const LOWEST = 12_000;
const COUNT = 20_000;
/** Processes that start one after the other begin far apart. */
const STRIDE = 619;
const MOST_TRIES = 200;

let next = (process.pid * STRIDE) % COUNT;

/** A port of 127.0.0.1 that nobody listens on. Prefer port 0 where the server reports its own. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const port = LOWEST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port among ${MOST_TRIES} from ${LOWEST} up`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
