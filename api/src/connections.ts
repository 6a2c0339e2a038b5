import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const LOOK_MS = 100;
/** The first request of a newer connection may be in transit. */
const UNUSED_MS = 1_000;

/**
 * A closing server waits for its connections and checks once for idle ones. Two kinds would delay
 * the stop: keep-alive connections whose request is answered later, and connections without any
 * request, which browsers and HTTP clients open in advance.
 */
export class Connections {
  readonly #server: Server;
  /** Connections by creation time. */
  readonly #unused = new Map<Socket, number>();

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#unused.set(socket, performance.now());
      socket.once('close', () => this.#unused.delete(socket));
    });
    server.on('request', ({ socket }) => this.#unused.delete(socket));
  }

  /** Closes idle connections, now and whenever one becomes idle, until the server has closed. */
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
