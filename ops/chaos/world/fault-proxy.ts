import { once } from 'node:events';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * - pass: as if it were not there
 * - refuse: the port is closed, connections are cut
 * - slow: every piece takes `delayMs` longer, in both directions
 * - silent: packets are dropped without notice, as behind a firewall that forgot
 * - deaf: requests arrive, replies do not
 */
export type ProxyMode = 'pass' | 'refuse' | 'slow' | 'silent' | 'deaf';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A TCP proxy on loopback that fails on demand. */
export class FaultProxy {
  readonly port: number;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #listener: Server | null = null;
  #mode: ProxyMode = 'pass';
  #delayMs = 0;

  constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  async listen(): Promise<void> {
    const listener = createServer((client) => this.#accept(client));
    listener.listen(this.port, '127.0.0.1');
    await once(listener, 'listening');
    this.#listener = listener;
  }

  /** What was under way in a silent or deaf time is cut when it ends, as it would be. */
  async setMode(mode: ProxyMode, delayMs = 0): Promise<void> {
    const cut = mode === 'refuse' || this.#mode === 'silent' || this.#mode === 'deaf';
    this.#mode = mode;
    this.#delayMs = delayMs;
    if (cut) this.cut();
    if (mode === 'refuse') await this.#unlisten();
    else if (this.#listener === null) await this.listen();
  }

  /** Ends every connection. Not by `resetAndDestroy`, after which Node 24 may spin at its own exit. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await this.#unlisten();
  }

  async #unlisten(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    if (listener === null) return;
    const closed = once(listener, 'close');
    listener.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const pair = { client, server };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    const toServer = new Pipe(client, server);
    const toClient = new Pipe(server, client);
    client.on('data', (data) => this.#forward(data, toServer, 'silent'));
    server.on('data', (data) => this.#forward(data, toClient, 'silent', 'deaf'));
  }

  #forward(data: Buffer, pipe: Pipe, ...lostIn: readonly ProxyMode[]): void {
    if (lostIn.includes(this.#mode)) return;
    pipe.send(data, this.#mode === 'slow' ? this.#delayMs : 0);
  }
}

/** One direction: delayed data is never overtaken. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
  }

  send(data: Buffer, delayMs: number): void {
    if (delayMs === 0 && this.#waiting === 0) return this.#write(data);
    this.#waiting += 1;
    this.#last = this.#later(data, delayMs, this.#last);
  }

  async #later(data: Buffer, delayMs: number, before: Promise<void>): Promise<void> {
    await before;
    await sleep(delayMs);
    this.#waiting -= 1;
    this.#write(data);
  }

  #write(data: Buffer): void {
    if (this.#to.destroyed || this.#to.write(data)) return;
    this.#from.pause();
    this.#to.once('drain', () => this.#from.resume());
  }
}
