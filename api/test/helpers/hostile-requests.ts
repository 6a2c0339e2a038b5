import * as fc from 'fast-check';
import type { FuzzRequest } from './fuzz-requests.ts';

/** A character that no text needs, and that the engine's own marks are made of. */
const NONCHARACTER = '\ufdd0';
const JSON_URLS = ['/v1/jobs', '/v1/chat/completions', '/v1/responses', '/v1/nothing'];

type Headers = Readonly<Record<string, string>>;

const message = (text: string): string =>
  JSON.stringify({ messages: [{ role: 'user', content: text }] });

/** Texts that are small to send and large to parse or to work at; made when they are sent. */
const BOMBS: Readonly<Record<string, (size: number) => string>> = {
  'nested arrays': (size) => `${'['.repeat(size)}${']'.repeat(size)}`,
  'nested objects': (size) => `${'{"a":'.repeat(size)}1${'}'.repeat(size)}`,
  'nested and open': (size) => '['.repeat(size),
  'empty objects': (size) => `[${'{},'.repeat(size)}{}]`,
  numbers: (size) => `{"messages":[${'0,'.repeat(size)}0]}`,
  'messages of nothing': (size) =>
    `{"messages":[${'{"role":"user","content":""},'.repeat(size)}{"role":"user","content":"x"}]}`,
  'a text of marks': (size) => message(`${NONCHARACTER.repeat(size)}${'<'.repeat(size)}`),
  'a long text': (size) => message('word '.repeat(size)),
  'a wide text': (size) => message('\u4e16'.repeat(size)),
  'many stops': (size) =>
    JSON.stringify({ input: 'x', stop: Array.from({ length: size }, (_, index) => `${index}`) }),
};

/** What of a text bomb is sent at most: 200,000 objects are 600 kB, and were 12 MB once parsed. */
const SIZES = [50, 99, 101, 5_000, 200_000];

const bombs = (headers: Headers): fc.Arbitrary<FuzzRequest> =>
  fc
    .record({
      make: fc.constantFrom(...Object.values(BOMBS)),
      size: fc.constantFrom(...SIZES),
      url: fc.constantFrom(...JSON_URLS),
    })
    .map(({ make, size, url }) => ({
      method: 'POST' as const,
      url,
      headers,
      payload: () => make(size),
    }));

/** Inputs of batches as nobody should send them; those that are accepted are made batches of. */
const batchBombs = (headers: Headers): fc.Arbitrary<FuzzRequest> =>
  fc
    .record({
      make: fc.constantFrom(...Object.values(BOMBS)),
      size: fc.constantFrom(...SIZES),
      lines: fc.integer({ min: 1, max: 20 }),
      purpose: fc.constantFrom('batch', 'user_data'),
    })
    .map(({ make, size, lines, purpose }) => ({
      method: 'POST' as const,
      url: '/v1/files',
      headers: { ...headers, 'content-type': 'multipart/form-data; boundary=b' },
      thenBatch: purpose === 'batch',
      payload: () => {
        const body = make(Math.ceil(size / lines));
        const line = `{"custom_id":"a","method":"POST","url":"/v1/responses","body":${body}}`;
        const head = `--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n`;
        return `${head}${`${line}\n`.repeat(lines)}\r\n--b--\r\n`;
      },
    }));

const ORIGINS: readonly Headers[] = [
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  { origin: 'null' },
  { origin: 'not an origin' },
  { 'sec-fetch-site': 'cross-site' },
  { host: 'evil.example' },
  { host: '[::1' },
  { host: `${'a'.repeat(2_000)}.example` },
];

/** What pages of other sites can have a browser send. */
const foreign = (headers: Headers): fc.Arbitrary<FuzzRequest> =>
  fc
    .record({
      origin: fc.constantFrom(...ORIGINS),
      url: fc.constantFrom('/v1/files', '/v1/jobs', '/v1/admin/keys', '/v1/jobs/x/cancel'),
      keyed: fc.boolean(),
    })
    .map(({ origin, url, keyed }) => ({
      method: 'POST' as const,
      url,
      headers: { ...(keyed ? headers : {}), 'content-type': 'text/plain', ...origin },
      payload: '{}',
      mustBeRefused: true,
    }));

/** Requests of somebody who wants the API to fall. */
export const hostileRequests = (headers: Headers): fc.Arbitrary<FuzzRequest> =>
  fc.oneof(
    { weight: 3, arbitrary: bombs(headers) },
    { weight: 1, arbitrary: batchBombs(headers) },
    { weight: 2, arbitrary: foreign(headers) },
  );
