import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong next, once: the Hub's own refusals and what happens to lines. */
export type HubFault =
  | { readonly kind: 'cut'; readonly path: string; readonly after: number }
  | { readonly kind: 'damage'; readonly path: string }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> };

export interface HubRepository {
  /** Contents by path. */
  readonly files: Readonly<Record<string, Buffer>>;
  readonly gated?: boolean;
  readonly private?: boolean;
}

/** A mirror that lies below a path of its server, and passes on addresses of listings as they came. */
export interface HubMirror {
  readonly path: string;
  /** Where the next pages of listings lie. */
  readonly linksTo: string;
}

export interface HubServer {
  readonly url: string;
  /** Method, path and range of each request, and whether it carried a token. */
  readonly requests: readonly {
    readonly path: string;
    readonly range: string | null;
    readonly token: boolean;
  }[];
  addFault(fault: HubFault): void;
  /** The commit of a repository, as its branch `main` has it. */
  commitOf(repository: string): string;
  close(): Promise<void>;
}

/** Files from this size on, in bytes, are LFS files and come from the storage's address. */
const LFS_BYTES = 1024;
/** Rows of one page of a listing: few, so that paging happens. */
const PAGE_ROWS = 5;
const TOKEN = 'hf_test';

/**
 * A model hub on the loopback, as the real one answers: listings in pages, digests, redirects of large
 * files to a storage at another address, ranges, and refusals with their `x-error-code`.
 */
export async function startHubServer(
  repositories: Readonly<Record<string, HubRepository>>,
  mirror?: HubMirror,
): Promise<HubServer> {
  const hub = new TestHub(repositories, mirror);
  await hub.start();
  return hub;
}

class TestHub implements HubServer {
  readonly requests: { path: string; range: string | null; token: boolean }[] = [];
  readonly #repositories: Readonly<Record<string, HubRepository>>;
  readonly #mirror: HubMirror | undefined;
  readonly #faults: HubFault[] = [];
  readonly #front: Server = createServer((request, response) => this.#answer(request, response));
  readonly #storage: Server = createServer((request, response) => this.#store(request, response));

  constructor(
    repositories: Readonly<Record<string, HubRepository>>,
    mirror: HubMirror | undefined,
  ) {
    this.#mirror = mirror;
    this.#repositories = repositories;
  }

  async start(): Promise<void> {
    for (const server of [this.#front, this.#storage]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#front)}${this.#mirror?.path ?? ''}`;
  }

  addFault(fault: HubFault): void {
    this.#faults.push(fault);
  }

  commitOf(repository: string): string {
    const { files } = this.#repository(repository);
    const digests = Object.entries(files).map(([path, content]) => path + digestOf(content));
    return createHash('sha1').update(digests.toSorted().join('\n')).digest('hex');
  }

  async close(): Promise<void> {
    for (const server of [this.#front, this.#storage]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #repository(name: string): HubRepository {
    const found = this.#repositories[name];
    if (!found) throw new Error(`The test's hub has no ${name}`);
    return found;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = this.#note(request);
    const fault = this.#take(({ kind }) => kind === 'status');
    if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end();
    const path = decodeURIComponent(url.pathname);
    const [, repository = '', call = '', rest = ''] =
      /^(?:\/api\/models)?\/([^/]+\/[^/]+)\/(revision|tree|resolve)\/(.+)$/.exec(path) ?? [];
    const known = this.#repositories[repository];
    const token = request.headers.authorization === `Bearer ${TOKEN}`;
    if (!known || (known.private === true && !token)) return refuse(response, 401, 'RepoNotFound');
    if (call === 'revision') return this.#revision(response, repository, rest);
    if (call === 'tree') return this.#tree(response, url, repository);
    if (known.gated === true && !token) return refuse(response, 403, 'GatedRepo');
    this.#resolve(request, response, repository, rest);
  }

  #revision(response: ServerResponse, repository: string, revision: string): void {
    const sha = this.commitOf(repository);
    if (revision !== 'main' && revision !== sha) return refuse(response, 404, 'RevisionNotFound');
    json(response, { id: repository, sha });
  }

  #tree(response: ServerResponse, url: URL, repository: string): void {
    const rows = Object.entries(this.#repository(repository).files).map(row);
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const next = new URL(url);
    next.searchParams.set('cursor', String(from + PAGE_ROWS));
    const more = from + PAGE_ROWS < rows.length;
    const there = this.#mirror?.linksTo ?? this.url;
    if (more) response.setHeader('link', `<${there}${next.pathname}${next.search}>; rel="next"`);
    json(response, rows.slice(from, from + PAGE_ROWS));
  }

  #resolve(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    rest: string,
  ): void {
    const [commit = '', ...steps] = rest.split('/');
    const content = this.#repository(repository).files[steps.join('/')];
    if (!content) return refuse(response, 404, 'EntryNotFound');
    response.setHeader('x-repo-commit', commit);
    response.setHeader('etag', `"${digestOf(content)}"`);
    if (content.length < LFS_BYTES) return this.#send(request, response, steps.join('/'), content);
    response.setHeader('x-linked-size', String(content.length));
    const storage = `http://localhost:${portOf(this.#storage)}/${repository}/${steps.join('/')}`;
    response.writeHead(302, { location: storage }).end();
  }

  #store(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(this.#note(request).pathname);
    const [, repository = '', file = ''] = /^\/([^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
    const content = this.#repository(repository).files[file];
    if (!content) return refuse(response, 404, 'EntryNotFound');
    this.#send(request, response, file, content);
  }

  #send(request: IncomingMessage, response: ServerResponse, path: string, content: Buffer): void {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const fault = this.#take((one) => one.kind !== 'status' && one.path === path);
    const body = fault?.kind === 'damage' ? Buffer.alloc(content.length, 7) : content;
    const status = from > 0 ? 206 : 200;
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(status, {
      'content-length': content.length - from,
      ...(from > 0 ? { 'content-range': range } : {}),
    });
    if (fault?.kind !== 'cut') return void response.end(body.subarray(from));
    response.write(body.subarray(from, fault.after), () => response.destroy());
  }

  #take(wanted: (fault: HubFault) => boolean): HubFault | undefined {
    const at = this.#faults.findIndex(wanted);
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0];
  }

  #note(request: IncomingMessage): URL {
    const { range = null, authorization } = request.headers;
    this.requests.push({ path: request.url ?? '', range, token: authorization !== undefined });
    const below = this.#mirror?.path ?? '';
    return new URL((request.url ?? '/').replace(below, ''), this.url);
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const blobDigest = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
const digestOf = (content: Buffer): string =>
  content.length < LFS_BYTES ? blobDigest(content) : sha256(content);

/** Of an LFS file `oid` is the pointer's, as git has it. */
function row([path, content]: readonly [string, Buffer]) {
  const oid = blobDigest(content);
  const lfs = { oid: sha256(content), size: content.length, pointerSize: 134 };
  const size = content.length;
  return { type: 'file', path, size, oid, ...(size < LFS_BYTES ? {} : { lfs }) };
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end();
}
