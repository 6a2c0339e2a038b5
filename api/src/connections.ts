import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const LOOK_MS = 100;

/**
 * A server that closes waits for its connections and looks once for idle ones. Two kinds would hold up
 * the stop: those whose request is answered later and that are then kept for another, and those over
 * which nothing was ever asked, which browsers and HTTP clients open ahead of need.
 */
export class Connections {
  readonly #server: Server;
  readonly #unused = new Set<Socket>();

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#unused.add(socket);
      socket.once('close', () => this.#unused.delete(socket));
    });
    server.on('request', ({ socket }) => this.#unused.delete(socket));
  }

  /** Ends connections that do nothing, now and as they come to that, until the server has closed. */
  endIdle(): void {
    if (!this.#server.listening) return;
    const look = (): void => {
      this.#server.closeIdleConnections();
      for (const socket of this.#unused) if (socket.bytesRead === 0) socket.destroy();
    };
    const timer = setInterval(look, LOOK_MS);
    this.#server.once('close', () => clearInterval(timer));
  }
}
