import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { ApiError } from '../../../src/http/errors.ts';
import { MemoryBudget } from '../../../src/http/memory-budget.ts';
import { createAddressPolicy } from '../../../src/core/media/address-policy.ts';
import { ImageFetcher } from '../../../src/core/media/image-fetcher.ts';
import { png } from '../../helpers/pictures.ts';

const PICTURE = png();

async function serve(t: ExecutionContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fetcher(
  t: ExecutionContext,
  allowed = ['127.0.0.1/32'],
  allowHttp = true,
  timeoutMs = 30_000,
): ImageFetcher {
  const made = new ImageFetcher({
    policy: createAddressPolicy(allowed),
    allowHttp,
    timeoutMs,
    maxFetches: 16,
  });
  t.teardown(() => made.close());
  return made;
}

const fetchWith = (from: ImageFetcher, url: string) =>
  from.fetch(url, {
    maxBytes: 10_000,
    param: 'p',
    signal: new AbortController().signal,
    tenant: 'a',
    hold: new MemoryBudget(1_000_000).open('a'),
  });

async function refusal(
  t: ExecutionContext,
  from: ImageFetcher,
  url: string,
): Promise<ApiError | undefined> {
  return t.throwsAsync<ApiError>(fetchWith(from, url), { instanceOf: ApiError });
}

test('a picture is fetched whole', async (t) => {
  const base = await serve(t, (_request, response) => response.end(PICTURE));
  t.deepEqual(await fetchWith(fetcher(t), `${base}/a.png`), PICTURE);
});

test('a picture that is sent compressed, though identity was asked, is unpacked', async (t) => {
  const ways = {
    gzip: gzipSync(PICTURE),
    'X-GZIP': gzipSync(PICTURE),
    br: brotliCompressSync(PICTURE),
    deflate: deflateSync(PICTURE),
    identity: PICTURE,
  };
  for (const [encoding, body] of Object.entries(ways)) {
    const base = await serve(t, ({ headers }, response) => {
      t.is(headers['accept-encoding'], 'identity');
      response.writeHead(200, { 'content-encoding': encoding }).end(body);
    });
    t.deepEqual(await fetchWith(fetcher(t), base), PICTURE, encoding);
  }
});

test('a small answer that unpacks to more than is allowed is refused, a broken one too', async (t) => {
  const answer = (body: Buffer, encoding = 'gzip') =>
    serve(t, (_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(body),
    );
  const bomb = await answer(gzipSync(Buffer.alloc(50_000_000)));
  t.is((await refusal(t, fetcher(t), bomb))?.code, 'image_too_large');
  const broken = await answer(PICTURE);
  t.is((await refusal(t, fetcher(t), broken))?.code, 'image_fetch_failed');
  const unknown = await answer(PICTURE, 'compress');
  t.is((await refusal(t, fetcher(t), unknown))?.code, 'image_fetch_failed');
});

test('redirects are followed, and only a few', async (t) => {
  const base = await serve(t, ({ url }, response) => {
    const hops = Number(url?.slice(1));
    if (hops === 0) response.end(PICTURE);
    else response.writeHead(302, { location: `/${hops - 1}` }).end();
  });
  t.deepEqual(await fetchWith(fetcher(t), `${base}/3`), PICTURE);
  t.regex((await refusal(t, fetcher(t), `${base}/4`))?.message ?? '', /more than 3 redirects/);
});

test('every redirect is judged as the first address was', async (t) => {
  const locations = [
    'http://169.254.169.254/latest',
    'file:///etc/passwd',
    'http://10.0.0.1:1/',
    'http://u:p@127.0.0.1/',
  ];
  for (const location of locations) {
    const base = await serve(t, (_request, response) =>
      response.writeHead(302, { location }).end(),
    );
    t.is((await refusal(t, fetcher(t), base))?.code, 'image_url_not_allowed', location);
  }
});

test('a name that leads to a refused address is refused, before a byte is sent', async (t) => {
  let asked = 0;
  const base = await serve(t, (_request, response) => {
    asked += 1;
    response.end(PICTURE);
  });
  const port = new URL(base).port;
  const strict = fetcher(t, []);
  t.is((await refusal(t, strict, `http://localhost:${port}/`))?.code, 'image_url_not_allowed');
  t.is((await refusal(t, strict, base))?.code, 'image_url_not_allowed');
  t.is(asked, 0);
});

test('odd spellings of a refused address are refused as well', async (t) => {
  const strict = fetcher(t, []);
  for (const host of [
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::ffff:127.0.0.1]',
    '127.1',
    '[::1]',
    '0',
  ]) {
    t.is((await refusal(t, strict, `http://${host}/`))?.code, 'image_url_not_allowed', host);
  }
});

test('https alone is taken unless http is allowed, and never another scheme', async (t) => {
  const strict = fetcher(t, ['127.0.0.1/32'], false);
  for (const url of [
    'http://example.com/',
    'ftp://example.com/',
    'gopher://example.com/',
    'javascript:1',
  ]) {
    t.is((await refusal(t, strict, url))?.code, 'image_url_not_allowed', url);
  }
});

test('more bytes than allowed are not read, announced or not', async (t) => {
  const announced = await serve(t, (_request, response) => response.end(Buffer.alloc(20_000)));
  const endless = await serve(t, (_request, response) => {
    const timer = setInterval(() => response.write(Buffer.alloc(4_000)), 1);
    response.on('close', () => clearInterval(timer));
  });
  t.is((await refusal(t, fetcher(t), announced))?.code, 'image_too_large');
  t.is((await refusal(t, fetcher(t), endless))?.code, 'image_too_large');
});

test('a server that is silent, slow, broken or says no is given up', async (t) => {
  const silent = await serve(t, () => undefined);
  const dripping = await serve(t, (_request, response) => {
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  });
  const broken = await serve(t, (_request, response) => response.destroy());
  const no = await serve(t, (_request, response) => response.writeHead(404).end());
  const hasty = fetcher(t, ['127.0.0.1/32'], true, 500);
  // Whoever answers must not be given up for a busy machine.
  const patient = fetcher(t, ['127.0.0.1/32'], true, 60_000);
  const failures = await Promise.all([
    ...[silent, dripping].map((url) => refusal(t, hasty, url)),
    ...[broken, no].map((url) => refusal(t, patient, url)),
  ]);
  t.true(failures.every((failure) => failure?.code === 'image_fetch_failed'));
  t.regex(failures[0]?.message ?? '', /within 500 ms/);
  t.regex(failures[3]?.message ?? '', /answered 404/);
});
