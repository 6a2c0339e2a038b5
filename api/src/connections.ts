import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const LOOK_MS = 100;
/** Over a connection that is newer than this its first request may be on the way. */
const UNUSED_MS = 1_000;

/**
 * A server that closes waits for its connections and looks once for idle ones. Two kinds would hold up
 * the stop: those whose request is answered later and that are then kept for another, and those over
 * which nothing was ever asked, which browsers and HTTP clients open ahead of need.
 */
export class Connections {
  readonly #server: Server;
  /** Connections by when they were made. */
  readonly #unused = new Map<Socket, number>();

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#unused.set(socket, performance.now());
      socket.once('close', () => this.#unused.delete(socket));
    });
    server.on('request', ({ socket }) => this.#unused.delete(socket));
  }

  /** Ends connections that do nothing, now and as they come to that, until the server has closed. */
  endIdle(): void {
    if (!this.#server.listening) return;
    const look = (): void => {
      this.#server.closeIdleConnections();
      const old = performance.now() - UNUSED_MS;
      for (const [socket, madeAt] of this.#unused) {
        if (socket.bytesRead === 0 && madeAt < old) socket.destroy();
      }
    };
    const timer = setInterval(look, LOOK_MS);
    this.#server.once('close', () => clearInterval(timer));
  }
}
