import { Type } from 'typebox';

const MIB = 1024 * 1024;

/** Pictures of requests, sent along or fetched. */
export const picturesConfig = {
  maxImageBytes: Type.Integer({
    env: 'EPD_MAX_IMAGE_BYTES',
    default: 20 * MIB,
    minimum: 1024,
    description: 'Largest picture, as a file',
  }),
  maxImagePixels: Type.Integer({
    env: 'EPD_MAX_IMAGE_PIXELS',
    default: 50_000_000,
    minimum: 1,
    description: 'Maximum pixels of a picture: bounds the cost of decoding',
  }),
  maxImages: Type.Integer({
    env: 'EPD_MAX_IMAGES',
    default: 16,
    minimum: 0,
    description: 'Maximum pictures in a request',
  }),
  fetchTimeoutMs: Type.Integer({
    env: 'EPD_FETCH_TIMEOUT_MS',
    default: 10_000,
    minimum: 1,
    description: 'Time limit for fetching one picture, including redirects',
  }),
  maxFetches: Type.Integer({
    env: 'EPD_MAX_FETCHES',
    default: 32,
    minimum: 1,
    description: 'Maximum concurrent picture fetches; others are queued within their time limit',
  }),
  fetchHttp: Type.Boolean({
    env: 'EPD_FETCH_HTTP',
    default: false,
    description: 'Whether pictures may come over plain http',
  }),
  fetchAllow: Type.Array(Type.String(), {
    env: 'EPD_FETCH_ALLOW',
    default: [],
    description: 'Networks (CIDR) from which pictures may be fetched although they are not public',
  }),
};
