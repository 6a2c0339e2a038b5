import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';
import { isLoopback } from './loopback.ts';
import { RouteMethods } from './route-methods.ts';

interface GuardSettings {
  /** Names under which callers reach the API. */
  readonly publicHosts: readonly string[];
  /** Origins of web pages that may call it, as `https://example.com`. */
  readonly corsOrigins: readonly string[];
  /**
   * Without keys anyone who reaches the port may send requests: then only loopback addresses are
   * allowed.
   */
  readonly loopbackOnly: boolean;
}

/** Suffixes that nobody can register, so that no stranger's name server answers for them. */
const PRIVATE_SUFFIXES = ['.localhost', '.internal', '.svc', '.svc.cluster.local'];
const DEFAULT_PORT = /:(80|443)$/;
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const MAX_SHOWN_CHARACTERS = 100;

/**
 * What is refused by a request's head alone, before anybody is identified and before its body is read: paths
 * that there are not, names that are not ours, and web pages of others. A browser that can reach this API runs
 * pages of strangers: under a name of theirs that leads here (DNS rebinding), or by forms and uploads that
 * need nobody's consent.
 */
export function installRequestGuard(app: FastifyInstance, settings: GuardSettings): void {
  const hosts = new Set(settings.publicHosts.map((host) => host.toLowerCase()));
  const origins = new Set(settings.corsOrigins.map((origin) => origin.toLowerCase()));
  const methods = new RouteMethods(app);
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) throw noSuchRoute(request, reply, methods);
    if (request.routeOptions.config.access !== 'public') {
      checkHost(request, hosts, settings.loopbackOnly);
    }
    if (!READS.has(request.method)) checkOrigin(request, hosts, origins);
  });
}

/** The answer to a path, or to a method of it, that there is not. */
function noSuchRoute(
  { method, url }: FastifyRequest,
  reply: FastifyReply,
  methods: RouteMethods,
): ApiError {
  const path = url.slice(0, MAX_SHOWN_CHARACTERS);
  const allowed = methods.of(url).join(', ');
  if (allowed === '') {
    const meant = meantRoute(url, methods);
    const hint = meant === null ? '' : `; ${meant} exists: a client's base URL ends in one /v1`;
    return new ApiError('route_not_found', `No such route: ${method} ${path}${hint}`);
  }
  void reply.header('allow', allowed);
  return new ApiError('method_not_allowed', `${path}: expected ${allowed}, got ${method}`);
}

/** The route that a base URL without `/v1`, or with one too many, has missed. */
function meantRoute(url: string, methods: RouteMethods): string | null {
  const path = url.replace(/\?.*$/s, '').slice(0, MAX_SHOWN_CHARACTERS);
  const meant = path.startsWith('/v1/') ? path.slice('/v1'.length) : `/v1${path}`;
  return meant.startsWith('/v1/') && methods.of(meant).length > 0 ? meant : null;
}

function checkHost(
  { hostname }: FastifyRequest,
  hosts: ReadonlySet<string>,
  loopbackOnly: boolean,
): void {
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, '');
  if (hosts.has(host) || isLocalName(host) || isLoopback(host)) return;
  if (!loopbackOnly && isOwnName(host)) return;
  throw new ApiError(
    'host_not_allowed',
    `Host: expected ${loopbackOnly ? 'a loopback address' : 'an IP address'} or a name of EPD_PUBLIC_HOSTS, got ${shown(host)}`,
  );
}

const isLocalName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');

/** An address, a name of the local network, or one that only a name server of the operator's knows. */
const isOwnName = (host: string): boolean =>
  isIP(host) !== 0 ||
  !host.includes('.') ||
  PRIVATE_SUFFIXES.some((suffix) => host.endsWith(suffix));

/** Browsers say where a request comes from; programs do not. */
function checkOrigin(
  { headers, host }: FastifyRequest,
  hosts: ReadonlySet<string>,
  origins: ReadonlySet<string>,
): void {
  const { origin } = headers;
  if (origin === undefined) {
    if (headers['sec-fetch-site'] !== 'cross-site') return;
    throw foreign('Sec-Fetch-Site', 'cross-site');
  }
  if (origins.has(origin.toLowerCase())) return;
  const from = URL.parse(origin);
  const own = host.toLowerCase().replace(DEFAULT_PORT, '');
  if (from !== null && (from.host === own || hosts.has(from.hostname))) return;
  throw foreign('Origin', origin);
}

const foreign = (header: string, value: string): ApiError =>
  new ApiError(
    'origin_not_allowed',
    `${header}: expected a page of this host or of EPD_CORS_ORIGINS, got ${shown(value)}`,
  );

const shown = (value: string): string => JSON.stringify(value.slice(0, MAX_SHOWN_CHARACTERS));
