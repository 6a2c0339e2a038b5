import * as fc from 'fast-check';
import { EXAMPLES } from '../../src/protocols/examples.ts';
import { hostileRequests } from './hostile-requests.ts';
import { dataUri } from './pictures.ts';

type Arbitrary<T> = fc.Arbitrary<T>;

export interface FuzzRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Made when it is sent, where it is large. */
  readonly payload?: string | Buffer | (() => string);
  /** Whatever comes of it is made a batch. */
  readonly thenBatch?: boolean;
  readonly mustBeRefused?: boolean;
}

/** Opens every route of the API that is asked. */
export const FUZZ_ADMIN_KEY = 'the-admin-key-of-tests';

type Json = Parameters<typeof JSON.stringify>[0];

const ID = fc.oneof(
  fc.string({ maxLength: 40 }).map(encodeURIComponent),
  fc.constantFrom(
    `job_${'0'.repeat(32)}`,
    `resp_${'0'.repeat(32)}`,
    'file-x',
    '..',
    '%2e%2e%2f',
    '%00',
    '%ff',
    '*',
    'a:b',
    '__proto__',
  ),
);

const ROUTES: readonly [method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string][] = [
  ['GET', '/v1/jobs'],
  ['GET', '/v1/jobs/:id'],
  ['GET', '/v1/jobs/:id/events'],
  ['POST', '/v1/jobs/:id/cancel'],
  ['DELETE', '/v1/jobs/:id'],
  ['GET', '/v1/responses/:id'],
  ['POST', '/v1/responses/:id/cancel'],
  ['DELETE', '/v1/responses/:id'],
  ['GET', '/v1/files'],
  ['GET', '/v1/files/:id'],
  ['GET', '/v1/files/:id/content'],
  ['DELETE', '/v1/files/:id'],
  ['GET', '/v1/batches/:id'],
  ['POST', '/v1/batches/:id/cancel'],
  ['GET', '/v1/models/:id'],
  ['GET', '/v1/batches'],
  ['DELETE', '/v1/admin/keys/:id'],
  ['GET', '/page/:id'],
  ['GET', '/docs/:id'],
  ['GET', '/:id'],
];

const BODIES: readonly [path: string, bodies: readonly Json[]][] = [
  ['/v1/jobs', EXAMPLES.job],
  ['/v1/chat/completions', EXAMPLES.chat],
  ['/v1/responses', EXAMPLES.response],
  [
    '/v1/batches',
    [{ input_file_id: 'file-x', endpoint: '/v1/responses', completion_window: '24h' }],
  ],
  ['/v1/admin/keys', [{ tenant: 'a', name: 'b' }]],
];

const ODD: Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    null,
    '',
    0,
    -1,
    1e308,
    -1e-308,
    2 ** 53,
    true,
    [],
    {},
    '\u0000',
    '\ud800',
    'x'.repeat(5_000),
    'data:image/png;base64,',
    'data:,',
    'http://[::1]/',
    'http://169.254.169.254/',
    'javascript:alert(1)',
    '../../etc/passwd',
  ),
);

/** A valid body with some of its values replaced, removed or joined by others. */
const mutated = (body: Json): Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.nat(), fc.constantFrom('replace', 'remove', 'add'), ODD), { maxLength: 3 })
    .map((changes) => {
      const copy: unknown = JSON.parse(JSON.stringify(body));
      for (const [where, how, value] of changes) mutate(copy, where, how, value);
      return JSON.stringify(copy);
    });

function mutate(root: unknown, where: number, how: string, value: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const name of Object.keys(node)) {
      places.push([node as Record<string, unknown>, name]);
      walk((node as Record<string, unknown>)[name]);
    }
  };
  walk(root);
  const place = places[where % Math.max(1, places.length)];
  if (place === undefined) return;
  const [node, name] = place;
  if (how === 'remove') delete node[name];
  else
    node[
      how === 'add'
        ? (['__proto__x', 'constructor', 'stop', 'n', 'seed', 'webhook'][where % 6] ?? 'x')
        : name
    ] = value;
}

const HEADERS: Arbitrary<Record<string, string>> = fc.dictionary(
  fc.constantFrom(
    'prefer',
    'last-event-id',
    'idempotency-key',
    'traceparent',
    'accept',
    'cookie',
    'range',
    'x-http-method-override',
  ),
  fc.string({
    maxLength: 60,
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  }),
  { maxKeys: 3 },
);

/** Pictures as they come and as nobody should send them. */
const pictures = (bases: readonly Buffer[]): Arbitrary<Buffer> =>
  fc
    .record({
      base: fc.constantFrom(...bases),
      flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
      keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
      tail: fc.uint8Array({ maxLength: 64 }),
    })
    .map(({ base, flips, keep, tail }) => {
      const copy = Buffer.from(base.subarray(0, Math.ceil(base.length * keep)));
      // Headers are short: half of the flips go there.
      for (const [at, byte] of flips) copy[at % (at % 2 === 0 ? copy.length : 64)] = byte;
      return Buffer.concat([copy, tail]);
    });

function multipart(picture: Buffer, purpose: string): FuzzRequest {
  const head = `--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n`;
  return {
    method: 'POST',
    url: '/v1/files',
    headers: {
      'content-type': 'multipart/form-data; boundary=b',
      authorization: `Bearer ${FUZZ_ADMIN_KEY}`,
    },
    payload: Buffer.concat([Buffer.from(head), picture, Buffer.from('\r\n--b--\r\n')]),
  };
}

/** Requests to every route: some valid, most not, many with pictures that are broken. */
export function fuzzRequests(bases: readonly Buffer[]): Arbitrary<FuzzRequest> {
  const json = { 'content-type': 'application/json', authorization: `Bearer ${FUZZ_ADMIN_KEY}` };
  const query = fc.oneof(
    fc.constant(''),
    fc.webQueryParameters().map((text) => `?${text}`),
    fc.constantFrom('?limit=1e9', '?after=%00', '?starting_after=-1', '?stream=maybe', '?order=up'),
  );
  const read = fc
    .record({ route: fc.constantFrom(...ROUTES), id: ID, query, headers: HEADERS })
    .map(({ route: [method, path], id, query: text, headers }) => ({
      method,
      url: path.replace(':id', id) + text,
      headers: { ...headers, authorization: `Bearer ${FUZZ_ADMIN_KEY}` },
    }));
  const write = fc.constantFrom(...BODIES).chain(([url, bodies]) =>
    fc
      .record({
        payload: fc.oneof(
          { weight: 5, arbitrary: fc.constantFrom(...bodies).chain(mutated) },
          { weight: 1, arbitrary: fc.json() },
          { weight: 1, arbitrary: fc.string() },
        ),
        headers: HEADERS,
      })
      .map(({ payload, headers }) => ({
        method: 'POST' as const,
        url,
        payload,
        headers: { ...headers, ...json },
      })),
  );
  const picture = fc.record({ bytes: pictures(bases), n: fc.nat(1_000) }).map(({ bytes, n }) => ({
    method: 'POST' as const,
    url: '/v1/jobs',
    headers: json,
    payload: JSON.stringify({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'image_url',
              image_url: { url: dataUri(bytes), ...(n % 7 === 0 ? { uuid: `u${n}` } : {}) },
            },
          ],
        },
      ],
    }),
  }));
  const upload = fc
    .record({ bytes: pictures(bases), purpose: fc.constantFrom('vision', 'batch', 'x', '') })
    .map(({ bytes, purpose }) => multipart(bytes, purpose));
  return fc.oneof(
    { weight: 3, arbitrary: read },
    { weight: 4, arbitrary: write },
    { weight: 3, arbitrary: picture },
    { weight: 1, arbitrary: upload },
    { weight: 2, arbitrary: hostileRequests(json) },
  );
}
