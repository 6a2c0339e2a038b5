import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { HubError } from './errors.ts';
import { answerError, unreachable } from './answer-error.ts';
import type { HubSettings } from './hub-settings.ts';

const RevisionAnswer = Type.Object({ sha: Type.String({ pattern: '^[0-9a-f]{40,64}$' }) });
const TreeRow = Type.Object({
  type: Type.String(),
  path: Type.String(),
  size: Type.Integer({ minimum: 0 }),
  oid: Type.String(),
  lfs: Type.Optional(Type.Object({ oid: Type.String(), size: Type.Integer({ minimum: 0 }) })),
});
const TreeAnswer = Type.Array(TreeRow);

/** A file of one commit. */
export interface HubFile {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly size: number;
  /** Of LFS files sha256 of the content, of others git's sha1 of the blob; in hex. Names the cached file. */
  readonly digest: string;
  readonly isLfs: boolean;
}

/** How long the Hub may take to begin an answer, in milliseconds: its own clients wait ten seconds. */
const ANSWER_MS = 15_000;
/** Pages of a listing that are followed: a model of more files than 100,000 is none that we serve. */
const PAGES_MAX = 100;

/** The three calls that are needed of the Hub's HTTP API. Each throws `HubError`. */
export class HubClient {
  readonly #settings: HubSettings;

  constructor(settings: HubSettings) {
    this.#settings = settings;
  }

  /** The commit that a branch or tag stands for now. */
  async commitOf(repository: string, revision: string, signal?: AbortSignal): Promise<string> {
    const path = `/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
    const response = await this.#get(path, { repository, revision }, signal);
    return (await jsonOf(response, RevisionAnswer)).sha;
  }

  /** Every file of a commit. */
  async files(repository: string, commit: string, signal?: AbortSignal): Promise<HubFile[]> {
    let next: string | null = `/api/models/${repository}/tree/${commit}?recursive=true`;
    const files: HubFile[] = [];
    for (let page = 0; next !== null && page < PAGES_MAX; page++) {
      const response = await this.#get(next, { repository, revision: commit }, signal);
      const rows = await jsonOf(response, TreeAnswer);
      files.push(...rows.filter(({ type }) => type === 'file').map(fileOf));
      next = this.#nextPage(response.headers.get('link'));
    }
    return files;
  }

  /** A file's bytes from `offset` on. The answer's status is 206 when the offset was honoured, else 200. */
  async open(
    repository: string,
    commit: string,
    file: HubFile,
    offset: number,
    signal?: AbortSignal,
  ): Promise<Response> {
    const path = `/${repository}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
    const range: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    return this.#get(path, { repository, revision: commit }, signal, range);
  }

  async #get(
    path: string,
    asked: { readonly repository: string; readonly revision: string },
    signal: AbortSignal | undefined,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const { endpoint, token } = this.#settings;
    // `fetch` drops the authorization on a redirect to another host: the storage's URLs carry their own.
    const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_MS);
    try {
      const response = await fetch(endpoint + path, {
        headers: {
          ...headers,
          ...authorization,
          'user-agent': 'epd-fleet',
          'accept-encoding': 'identity',
        },
        signal: AbortSignal.any([late.signal, ...(signal ? [signal] : [])]),
      });
      if (response.ok) return response;
      await response.body?.cancel();
      throw answerError(response, { ...asked, hasToken: token !== null });
    } catch (error) {
      if (error instanceof HubError || signal?.aborted === true) throw error;
      throw unreachable(
        endpoint,
        late.signal.aborted ? `no answer in ${ANSWER_MS / 1000} s` : error,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The next page, as a path below the endpoint. A mirror may lie below a path, and may pass on addresses of the
   * hub that it mirrors: it is asked itself in any case, and nobody else is sent the token.
   */
  #nextPage(link: string | null): string | null {
    const url = /<([^>]+)>;\s*rel="?next"?/.exec(link ?? '')?.[1];
    if (url === undefined) return null;
    const { pathname, search } = new URL(url, this.#settings.endpoint);
    const path = API_PATH.exec(pathname)?.[0];
    if (path !== undefined) return path + search;
    throw new HubError(
      'invalid_answer',
      `The Hub's listing continues at ${url}, which is none of its`,
    );
  }
}

/** Where the API begins in the path of an address. */
const API_PATH = /\/api\/models\/.*$/;

function fileOf({ path, size, oid, lfs }: Static<typeof TreeRow>): HubFile {
  return { path, size: lfs?.size ?? size, digest: lfs?.oid ?? oid, isLfs: lfs !== undefined };
}

async function jsonOf<S extends TSchema>(response: Response, schema: S): Promise<Static<S>> {
  const value: unknown = await response.json().catch(() => undefined);
  if (Value.Check(schema, value)) return value;
  const where = new URL(response.url).pathname;
  throw new HubError('invalid_answer', `The Hub's answer to ${where} is not what its API promises`);
}
