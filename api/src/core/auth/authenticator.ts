import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../../http/errors.ts';
import { ADMIN_TENANT_ID, LOCAL_TENANT_ID, MOST_URGENT, type Tenant } from './tenant.ts';
import type { ApiKeys, KeyGrant } from './api-keys.ts';
import type { TenantDefaults, Tenants } from './tenants.ts';

declare module 'fastify' {
  interface FastifyRequest {
    tenant: Tenant;
    isAdmin: boolean;
  }
  interface FastifyContextConfig {
    /** `public`: no key is required. `admin`: only the operator's key is accepted. */
    access?: 'public' | 'admin';
  }
}

interface AuthenticatorParts {
  readonly keys: ApiKeys;
  readonly tenants: Tenants;
  /** Null: no key is required. */
  readonly required: boolean;
  readonly adminKey: string | undefined;
  readonly defaults: TenantDefaults;
}

/** Without a realm browsers do not ask for it. */
const PASSWORD = 'Basic realm="the admin key of epd-fleet as the password", charset="UTF-8"';

/** Finds out on whose behalf a request is made. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #local: Tenant;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    const id = parts.required ? ADMIN_TENANT_ID : LOCAL_TENANT_ID;
    const { limits, webhookHosts } = parts.defaults;
    // The operator is bound by no quota, and goes first where it wants to.
    const own = { ...limits, files: 0, fileBytes: 0, openUploads: 0, activeBatches: 0 };
    const unbound = { ...own, minPriority: MOST_URGENT };
    this.#local = { id, embeddingScope: '', webhookHosts, limits: unbound };
  }

  get required(): boolean {
    return this.#parts.required;
  }

  /** Every request gets a tenant before its body is read. */
  install(app: FastifyInstance): void {
    app.decorateRequest('tenant');
    app.decorateRequest('isAdmin', false);
    app.addHook('onRequest', async (request, reply) => {
      request.tenant = this.#local;
      const access = request.routeOptions.config.access;
      if (access === 'public') return;
      try {
        await this.#identify(request, access === 'admin');
      } catch (error) {
        if (error instanceof ApiError && error.statusCode === 401) {
          // A browser asks for the admin key only where the response demands a password.
          void reply.header(
            'www-authenticate',
            access === 'admin' ? [PASSWORD, 'Bearer'] : 'Bearer',
          );
        }
        throw error;
      }
    });
  }

  async #identify(request: FastifyRequest, adminOnly: boolean): Promise<void> {
    const key = bearerToken(request);
    request.isAdmin = key !== null && this.#isAdminKey(key);
    if (adminOnly && !request.isAdmin) {
      if (key === null)
        throw new ApiError('missing_api_key', 'Expected the admin key as Authorization: Bearer');
      throw new ApiError('admin_only', 'Only the admin key opens this');
    }
    if (request.isAdmin) return;
    if (!this.#parts.required) return;
    if (key === null) {
      throw new ApiError('missing_api_key', 'Expected an API key as Authorization: Bearer <key>');
    }
    const grant = await this.#parts.keys.grantOf(key);
    if (grant === null) throw unknownKey(key);
    request.tenant = asGranted(await this.#parts.tenants.get(grant.tenant), grant);
  }

  #isAdminKey(key: string): boolean {
    const { adminKey } = this.#parts;
    return adminKey !== undefined && timingSafeEqual(sha256(adminKey), sha256(key));
  }
}

function unknownKey(key: string): ApiError {
  const hint = key.includes(':') ? '; of tenant:key only the key is sent' : '';
  return new ApiError('invalid_api_key', `This API key is unknown or was revoked${hint}`);
}

const asGranted = (tenant: Tenant, { minPriority }: KeyGrant): Tenant =>
  minPriority === undefined ? tenant : { ...tenant, limits: { ...tenant.limits, minPriority } };

/** Browsers cannot put a header on a link, so the queue board takes its key as a password, too. */
function bearerToken({ headers }: FastifyRequest): string | null {
  const { authorization } = headers;
  if (authorization === undefined) return null;
  const bearer = /^Bearer +(\S{1,512})$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic +([A-Za-z0-9+/=]{1,1024})$/i.exec(authorization)?.[1];
  if (basic === undefined) return null;
  const text = Buffer.from(basic, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
