import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Lazy } from '@epd/connector';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

const FOLDER = join(import.meta.dirname, 'assets');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
};

const PAGES: Readonly<Record<string, string>> = { 'index.html': '/', 'gallery.html': '/gallery' };

/** The page talks to this API, shows pictures it was given, and loads nothing from elsewhere. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

interface Asset {
  readonly url: string;
  readonly type: string;
  readonly body: Buffer;
}

/** Read once in a process. */
const assets = new Lazy(readAssets);

/** Pages to try the fleet with. */
export const pageRoutes: FastifyPluginAsyncTypebox = async (app) => {
  for (const { url, type, body } of await assets.get()) {
    app.get(
      url,
      { config: { access: 'public' }, schema: { hide: true } },
      async (_request, reply) =>
        reply
          .type(type)
          .header('content-security-policy', CONTENT_SECURITY_POLICY)
          .header('x-content-type-options', 'nosniff')
          .header('referrer-policy', 'no-referrer')
          .header('cache-control', 'no-cache')
          .send(body),
    );
  }
};

async function readAssets(): Promise<readonly Asset[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true, recursive: true });
  const files = entries.filter((one) => one.isFile());
  const read = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    const file = path.slice(FOLDER.length + 1);
    const url = PAGES[file] ?? `/page/${file}`;
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    return { url, type, body: await readFile(path) };
  });
  return Promise.all(read);
}
