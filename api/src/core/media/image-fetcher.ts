import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { decompressed } from '@epd/connector';
import type { Dispatcher } from 'undici';
import { collectBytes } from '../../http/collect-bytes.ts';
import { ApiError } from '../../http/errors.ts';
import type { MemoryHold } from '../../http/memory-budget.ts';
import { FetchSlots } from './fetch-slots.ts';
import type { AddressPolicy } from './address-policy.ts';
import { tooLarge } from './data-uri.ts';
import { AddressRefusedError } from './address-refused-error.ts';
import { GuardedRequests } from './guarded-requests.ts';

export interface FetchOptions {
  readonly maxBytes: number;
  readonly param: string;
  readonly signal: AbortSignal;
  /** Whose fetch it is. */
  readonly tenant: string;
  /** Charged for the bytes as they come. */
  readonly hold: MemoryHold;
}

interface FetcherSettings {
  readonly policy: AddressPolicy;
  readonly allowHttp: boolean;
  /** For the whole fetch, redirects and its wait for a turn included. */
  readonly timeoutMs: number;
  /** Fetches of this process at a time; the others wait, within their time. */
  readonly maxFetches: number;
}

/** Enough for a shortener in front of a CDN; more is a loop. */
const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Fetches pictures from URLs that strangers name. Throws `image_url_not_allowed` and `image_fetch_failed`. */
export class ImageFetcher {
  readonly #settings: FetcherSettings;
  readonly #requests: GuardedRequests;
  readonly #slots: FetchSlots;

  constructor(settings: FetcherSettings) {
    this.#settings = settings;
    this.#slots = new FetchSlots(settings.maxFetches);
    this.#requests = new GuardedRequests(settings.policy);
  }

  async fetch(address: string, options: FetchOptions): Promise<Buffer> {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(this.#settings.timeoutMs)]);
    try {
      return await this.#slots.run(options.tenant, signal, () =>
        this.#follow(address, { ...options, signal }),
      );
    } catch (error) {
      throw this.#explain(error, options.param);
    }
  }

  async close(): Promise<void> {
    await this.#requests.close();
  }

  async #follow(address: string, options: FetchOptions): Promise<Buffer> {
    let url = this.#check(address, options.param);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await this.#requests.request(url, {
        signal: options.signal,
        headers: { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'epd-fleet' },
      });
      const location = answer.headers['location'];
      if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string') {
        return await readBody(answer, options);
      }
      discard(answer);
      url = this.#check(location, options.param, url);
    }
    throw failed(options.param, `more than ${MAX_REDIRECTS} redirects`);
  }

  #check(address: string, param: string, base?: URL): URL {
    const url = base === undefined ? URL.parse(address) : URL.parse(address, base.href);
    if (url === null) throw new ApiError('invalid_image_url', `${param}: not a URL`, { param });
    const schemes = this.#settings.allowHttp ? ['https:', 'http:'] : ['https:'];
    if (!schemes.includes(url.protocol)) {
      throw notAllowed(param, `expected ${schemes.join(' or ')} (or data:), got ${url.protocol}`);
    }
    if (url.username !== '' || url.password !== '') throw notAllowed(param, 'it holds credentials');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // A literal address is connected to without a lookup, so it is judged here.
    if (isIP(host) !== 0 && !this.#settings.policy.allows(host)) {
      throw notAllowed(param, new AddressRefusedError(host).message);
    }
    return url;
  }

  #explain(error: unknown, param: string): ApiError {
    if (error instanceof ApiError) return error;
    if (error instanceof AddressRefusedError) return notAllowed(param, error.message);
    if (error instanceof Error && error.name === 'TimeoutError') {
      return failed(param, `no answer within ${this.#settings.timeoutMs} ms`, error);
    }
    const code = (error as { code?: unknown }).code;
    return failed(param, typeof code === 'string' ? code : 'the connection failed', error);
  }
}

async function readBody(answer: Dispatcher.ResponseData, options: FetchOptions): Promise<Buffer> {
  const { maxBytes, param, hold } = options;
  const announced = Number(answer.headers['content-length'] ?? 0);
  if (answer.statusCode !== 200 || announced > maxBytes) {
    discard(answer);
    if (answer.statusCode === 200) throw tooLarge(announced, maxBytes, param);
    throw failed(param, `the server answered ${answer.statusCode}`);
  }
  try {
    return await collectBytes(plainBody(answer), {
      hold,
      expectedBytes: announced,
      maxBytes,
      tooLarge: (bytes) => tooLarge(bytes, maxBytes, param),
    });
  } catch (error) {
    discard(answer);
    throw error;
  }
}

/** Some servers compress although `identity` was requested. */
function plainBody({ body, headers }: Dispatcher.ResponseData): Readable {
  const encoding = headers['content-encoding'];
  return decompressed(body, Array.isArray(encoding) ? encoding.join(', ') : encoding) ?? body;
}

/** Destroying a body makes it emit an error that nothing else handles. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined);
  body.destroy();
}

const failed = (param: string, why: string, cause?: unknown): ApiError =>
  new ApiError('image_fetch_failed', `${param}: the picture cannot be fetched: ${why}`, {
    param,
    cause,
  });

const notAllowed = (param: string, why: string): ApiError =>
  new ApiError('image_url_not_allowed', `${param}: this URL is not allowed: ${why}`, { param });
