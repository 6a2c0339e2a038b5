import { Type } from 'typebox';

/** Who reaches the API, and under which names. */
export const accessConfig = {
  host: Type.String({
    env: 'EPD_HOST',
    default: '127.0.0.1',
    description: 'Address to listen on. Without API keys only a loopback address is allowed',
  }),
  port: Type.Integer({
    env: 'EPD_PORT',
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0: any free one',
  }),
  publicHosts: Type.Array(Type.String({ pattern: '^[A-Za-z0-9._-]+$' }), {
    env: 'EPD_PUBLIC_HOSTS',
    default: [],
    expects: 'host names without scheme or port, separated by commas',
    description:
      'Host names under which callers reach the API, such as epd.example.com. Loopback names are always allowed; with keys or EPD_OPEN also addresses and names of a local network',
  }),
  corsOrigins: Type.Array(Type.String({ pattern: '^https?://[^/]+$' }), {
    env: 'EPD_CORS_ORIGINS',
    default: [],
    expects: 'origins like https://app.example.com, separated by commas',
    description: 'Web pages of other hosts that may call the API, by their origin',
  }),
  apiKeys: Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}:\\S{16,}$' }), {
    env: 'EPD_API_KEYS',
    default: [],
    secret: true,
    expects: 'tenant:key pairs, separated by commas; keys of 16 characters or more',
    description: 'API keys, in addition to those created with the admin key',
  }),
  adminKey: Type.Optional(
    Type.String({
      env: 'EPD_ADMIN_KEY',
      minLength: 16,
      secret: true,
      description: 'Opens /v1/admin and the queue board; with it, every request needs a key',
    }),
  ),
  open: Type.Boolean({
    env: 'EPD_OPEN',
    default: false,
    description:
      'Allows requests without keys from anyone who can reach the port: for closed networks',
  }),
};
