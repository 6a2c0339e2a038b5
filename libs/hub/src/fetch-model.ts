import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { downloadFile } from './download-file.ts';
import { HubError } from './errors.ts';
import { HubClient, type HubFile } from './hub-client.ts';
import type { HubSettings } from './hub-settings.ts';
import type { Graph, ModelName } from './model-name.ts';
import { isConfiguration, planFiles, type FilePlan } from './plan-files.ts';
import { exists, RepositoryCache } from './repository-cache.ts';
import { withRetries } from './with-retries.ts';

/** A model's files on this machine. */
export interface FetchedModel {
  /** The commit's folder in the cache. */
  readonly folder: string;
  readonly commit: string;
  readonly plan: Omit<FilePlan<HubFile>, 'files'>;
  /** Why the cache was used although the Hub was to be asked; null when it was asked, or not to be. */
  readonly unreachable: string | null;
}

export interface FetchProgress {
  readonly file: string;
  /** Of all the files that are needed, in bytes. */
  readonly received: number;
  readonly total: number;
}

export interface FetchOptions {
  readonly graphs: readonly Graph[];
  /** False: graphs are only chosen, and what they weigh is told; the configuration is fetched. @default true */
  readonly fetchesGraphs?: boolean;
  readonly settings: HubSettings;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Makes the files of a Hub model that `graphs` need available, fetching what is not in the cache.
 * Without the Hub (offline by setting, or out of reach) what the cache holds is used. Throws `HubError`.
 */
export async function fetchModel(name: ModelName, options: FetchOptions): Promise<FetchedModel> {
  const { settings } = options;
  const cache = new RepositoryCache(settings.cacheFolder, name.repository);
  if (settings.offline) return cached(cache, name, options, 'HF_HUB_OFFLINE is set', null);
  try {
    return await fetched(cache, name, options);
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'unreachable') throw error;
    return cached(cache, name, options, error.message, error);
  }
}

async function fetched(
  cache: RepositoryCache,
  name: ModelName,
  { graphs, fetchesGraphs = true, settings, onProgress, signal }: FetchOptions,
): Promise<FetchedModel> {
  const client = new HubClient(settings);
  // A Hub that is out of reach is not waited for here: the cache may do.
  const ask = <T>(work: () => Promise<T>) => withRetries(work, ['rate_limited'], signal);
  const { repository, revision } = name;
  const commit = await ask(() => client.commitOf(repository, revision, signal));
  const files = await ask(() => client.files(repository, commit, signal));
  const { files: needed, ...plan } = planFiles(files, name, graphs);
  const wanted = fetchesGraphs ? needed : needed.filter(isConfiguration);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of wanted) {
    const tell = (received: number): void =>
      onProgress?.({ file: file.path, received: before + received, total });
    await fetchFile(cache, client, { name, commit, file, tell, signal });
    before += file.size;
    tell(0);
  }
  await cache.setCommit(name.revision, commit);
  return { folder: cache.snapshot(commit), commit, plan, unreachable: null };
}

interface FileFetch {
  readonly name: ModelName;
  readonly commit: string;
  readonly file: HubFile;
  readonly tell: (received: number) => void;
  readonly signal: AbortSignal | undefined;
}

async function fetchFile(
  cache: RepositoryCache,
  client: HubClient,
  { name, commit, file, tell, signal }: FileFetch,
): Promise<void> {
  refusePathsOutside(file);
  if (await cache.has(commit, file)) return;
  await downloadFile({
    file,
    target: cache.blob(file),
    open: (offset, aborted) => client.open(name.repository, commit, file, offset, aborted),
    onProgress: tell,
    ...(signal ? { signal } : {}),
  });
  await cache.link(commit, file);
}

/** Names come from a server: none may leave the cache's folder. */
function refusePathsOutside({ path, digest }: HubFile): void {
  const steps = path.split('/');
  const safe = steps.every((step) => step !== '' && step !== '.' && step !== '..');
  if (safe && !path.includes('\\') && /^[0-9a-f]{40,64}$/.test(digest)) return;
  throw new HubError(
    'invalid_answer',
    `The Hub names a file ${JSON.stringify(path)}, which is no path`,
  );
}

/** The model as the cache holds it. What is missing is named, with where it would be looked for. */
async function cached(
  cache: RepositoryCache,
  name: ModelName,
  { graphs }: FetchOptions,
  why: string,
  cause: HubError | null,
): Promise<FetchedModel> {
  const commit = await cache.commitOf(name.revision);
  const folder = cache.snapshot(commit ?? '<commit>');
  if (commit === null || !(await exists(folder))) throw notCached(name, folder, why, [], cause);
  try {
    const { files: _, ...plan } = planFiles(await filesIn(folder), name, graphs);
    return { folder, commit, plan, unreachable: cause?.message ?? null };
  } catch (error) {
    throw notCached(name, folder, why, [(error as Error).message], cause ?? error);
  }
}

/** Relative paths, with slashes; links whose content is gone do not count. */
async function filesIn(folder: string) {
  const entries = await readdir(folder, { recursive: true });
  const files = entries.map(async (path) => {
    const found = await stat(join(folder, path)).catch(() => null);
    const inside = relative(folder, join(folder, path)).split(sep).join('/');
    return found?.isFile() === true ? [{ path: inside, size: found.size }] : [];
  });
  return (await Promise.all(files)).flat();
}

function notCached(
  { repository, revision, text }: ModelName,
  folder: string,
  why: string,
  details: readonly string[],
  cause: unknown,
): HubError {
  const message = [
    `${repository} (${revision}) is not whole in the cache, and the Hub was not asked: ${why}.`,
    ...details,
    `Ways out: with a network, npm run models -- pull ${text}; or put the files into ${folder}; or name a folder that holds them.`,
  ].join(' ');
  return new HubError('not_cached', message, { cause });
}
