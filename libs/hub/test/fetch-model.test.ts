import { randomBytes } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempFolder } from '@epd/service/testing';
import { cachedModels, removeCachedModel } from '../src/cached-models.ts';
import { HubError, type HubErrorCode } from '../src/errors.ts';
import { fetchModel, type FetchProgress } from '../src/fetch-model.ts';
import { parseModelName, type Graph } from '../src/model-name.ts';
import { startHubServer, type HubServer } from '../src/testing/index.ts';

const VISION = 'onnx/vision_encoder.onnx';
const WEIGHTS = `${VISION}_data`;

function modelFiles(): Record<string, Buffer> {
  return {
    'config.json': Buffer.from('{"model_type":"smolvlm"}'),
    'preprocessor_config.json': Buffer.from('{}'),
    'tokenizer.json': Buffer.from('{"model":{}}'),
    'tokenizer_config.json': Buffer.from('{}'),
    'README.md': Buffer.from('not needed'),
    [VISION]: randomBytes(20_000),
    [WEIGHTS]: randomBytes(3_000_000),
    'onnx/embed_tokens.onnx': randomBytes(4_000),
    'onnx/decoder_model_merged.onnx': randomBytes(4_000),
  };
}

interface Setting {
  readonly files: Record<string, Buffer>;
  readonly hub: HubServer;
  readonly cacheFolder: string;
  readonly fetch: (options?: Fetching) => ReturnType<typeof fetchModel>;
}
interface Fetching {
  readonly name?: string;
  readonly graphs?: readonly Graph[];
  readonly offline?: boolean;
  readonly token?: string;
  readonly endpoint?: string;
  readonly onProgress?: (progress: FetchProgress) => void;
}

async function setting(t: ExecutionContext): Promise<Setting> {
  const files = modelFiles();
  const hub = await startHubServer({
    'org/vlm': { files },
    'org/gated': { files, gated: true },
    'org/private': { files, private: true },
  });
  t.teardown(() => hub.close());
  const cacheFolder = await tempFolder(t);
  const fetch = (options: Fetching = {}) =>
    fetchModel(parseModelName(options.name ?? 'org/vlm'), {
      graphs: options.graphs ?? ['vision_encoder'],
      settings: {
        endpoint: options.endpoint ?? hub.url,
        cacheFolder,
        token: options.token ?? null,
        offline: options.offline ?? false,
      },
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    });
  return { files, hub, cacheFolder, fetch };
}

const requestsFor = (hub: HubServer, file: string) =>
  hub.requests.filter(({ path }) => path.endsWith(`/${file}`));

async function isRefused(
  t: ExecutionContext,
  made: Promise<unknown>,
  code: HubErrorCode,
  message: RegExp,
) {
  const error = await t.throwsAsync(made, { instanceOf: HubError, message });
  t.is(error?.code, code);
}

test('the needed files lie in the Hub’s cache layout: links into blobs named by digest', async (t) => {
  const { fetch, files, hub, cacheFolder } = await setting(t);
  const { folder, commit } = await fetch();
  t.is(folder, join(cacheFolder, 'models--org--vlm/snapshots', hub.commitOf('org/vlm')));
  t.true((await readFile(join(folder, WEIGHTS))).equals(files[WEIGHTS] as Buffer));
  t.true((await lstat(join(folder, WEIGHTS))).isSymbolicLink());
  t.is(await readFile(join(cacheFolder, 'models--org--vlm/refs/main'), 'utf8'), commit);
  await t.throwsAsync(readFile(join(folder, 'onnx/decoder_model_merged.onnx')));
  await t.throwsAsync(readFile(join(folder, 'README.md')));
});

for (const linksTo of ['https://huggingface.co', 'http://127.0.0.1:9/hub']) {
  test(`a mirror below a path gives all pages of a listing that go on at ${linksTo}`, async (t) => {
    const files = modelFiles();
    const hub = await startHubServer({ 'org/vlm': { files } }, { path: '/hub', linksTo });
    t.teardown(() => hub.close());
    const { folder } = await fetchModel(parseModelName('org/vlm'), {
      graphs: ['vision_encoder', 'decoder_model_merged'],
      settings: {
        endpoint: hub.url,
        cacheFolder: await tempFolder(t),
        token: null,
        offline: false,
      },
    });
    t.true((await readFile(join(folder, WEIGHTS))).equals(files[WEIGHTS] as Buffer));
    t.true((await lstat(join(folder, 'onnx/decoder_model_merged.onnx'))).isSymbolicLink());
  });
}

test('what is in the cache is not fetched again, and other graphs are added to the same commit', async (t) => {
  const { fetch, hub } = await setting(t);
  await fetch();
  const before = hub.requests.length;
  const { folder } = await fetch({ graphs: ['decoder_model_merged'] });
  const resolved = hub.requests.slice(before).filter(({ path }) => path.includes('/resolve/'));
  t.true(resolved.every(({ path }) => path.endsWith('decoder_model_merged.onnx')));
  t.true((await lstat(join(folder, VISION))).isSymbolicLink());
});

test('a broken line is resumed where it broke', async (t) => {
  const { fetch, files, hub } = await setting(t);
  hub.addFault({ kind: 'cut', path: WEIGHTS, after: 1_000_000 });
  const { folder } = await fetch();
  t.true((await readFile(join(folder, WEIGHTS))).equals(files[WEIGHTS] as Buffer));
  const ranges = requestsFor(hub, WEIGHTS).map(({ range }) => range);
  t.true(ranges.some((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]) > 0));
});

test('content with another digest is deleted and downloaded again', async (t) => {
  const { fetch, files, hub } = await setting(t);
  hub.addFault({ kind: 'damage', path: WEIGHTS });
  const { folder } = await fetch();
  t.true((await readFile(join(folder, WEIGHTS))).equals(files[WEIGHTS] as Buffer));
});

test('two who want the same file fetch it once', async (t) => {
  const { fetch, hub } = await setting(t);
  await Promise.all([fetch(), fetch()]);
  // Each large file is asked of the Hub, which redirects to the storage.
  t.is(requestsFor(hub, WEIGHTS).length, 2);
});

test('progress counts up to the size of all that is needed', async (t) => {
  const { fetch } = await setting(t);
  const seen: FetchProgress[] = [];
  await fetch({ onProgress: (progress) => seen.push(progress) });
  const received = seen.map((progress) => progress.received);
  t.deepEqual(
    received,
    received.toSorted((a, b) => a - b),
  );
  t.is(received.at(-1), seen[0]?.total);
});

test('the token goes to the Hub and not to the storage it redirects to', async (t) => {
  const { fetch, hub } = await setting(t);
  await fetch({ name: 'org/private', token: 'hf_test' });
  const stored = hub.requests.filter(({ path }) => !/^\/api|resolve/.test(path));
  t.true(stored.length > 0);
  t.true(stored.every(({ token }) => !token));
  t.true(hub.requests.some(({ token }) => token));
});

test('refusals of the Hub say what would help', async (t) => {
  const { fetch, hub } = await setting(t);
  await isRefused(t, fetch({ name: 'org/none' }), 'unauthorized', /private one needs a token/);
  await isRefused(t, fetch({ name: 'org/private' }), 'unauthorized', /HF_TOKEN/);
  await isRefused(t, fetch({ name: 'org/gated' }), 'gated', /accept its terms/);
  await isRefused(t, fetch({ name: 'org/vlm@none' }), 'revision_not_found', /"none"/);
  hub.addFault({ kind: 'status', status: 404 });
  await isRefused(t, fetch(), 'not_found', /no model org\/vlm/);
  hub.addFault({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
  await isRefused(t, fetch(), 'rate_limited', /429.*HF_TOKEN/);
});

test('a Hub that refuses for a moment is asked again when it says', async (t) => {
  const { fetch, hub } = await setting(t);
  for (let i = 0; i < 2; i++)
    hub.addFault({ kind: 'status', status: 429, headers: { 'retry-after': '0' } });
  await t.notThrowsAsync(fetch({ graphs: ['embed_tokens'] }));
  t.is(hub.requests.filter(({ path }) => path.includes('/revision/')).length, 3);
});

test('without the Hub the cache serves, and says that it did', async (t) => {
  const { fetch, hub } = await setting(t);
  const { folder } = await fetch();
  const asked = hub.requests.length;
  t.deepEqual((await fetch({ offline: true })).unreachable, null);
  t.is(hub.requests.length, asked);
  const away = await fetch({ endpoint: 'http://127.0.0.1:9' });
  t.is(away.folder, folder);
  t.regex(away.unreachable ?? '', /cannot be reached/);
});

test('without the Hub, what is missing is named with where it would go', async (t) => {
  const { fetch } = await setting(t);
  await isRefused(t, fetch({ offline: true }), 'not_cached', /HF_HUB_OFFLINE.*models--org--vlm/);
  await fetch();
  const decoder = fetch({ offline: true, graphs: ['decoder_model_merged'] });
  await isRefused(t, decoder, 'not_cached', /no onnx\/decoder_model_merged\.onnx.*snapshots/);
});

test('the cache tells what it holds, and forgets a model', async (t) => {
  const { fetch, files, cacheFolder, hub } = await setting(t);
  await fetch({ graphs: ['embed_tokens'] });
  const [model] = await cachedModels(cacheFolder);
  t.is(model?.repository, 'org/vlm');
  t.deepEqual(model?.revisions, { main: hub.commitOf('org/vlm') });
  t.true((model?.bytes ?? 0) >= (files['onnx/embed_tokens.onnx']?.length ?? 0));
  t.true(await removeCachedModel(cacheFolder, 'org/vlm'));
  t.deepEqual(await cachedModels(cacheFolder), []);
  t.false(await removeCachedModel(cacheFolder, 'org/vlm'));
});
