import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NotRewritableError } from './errors.ts';
import { encodeModel, externalFiles, readModel, type Model } from './onnx.ts';

/** A change of a graph that is made once, proven, and kept. */
export interface RewritingPass {
  /** Folder of what it makes, and the name of the file in it: `decoders`, `decoder.onnx`. */
  readonly folder: string;
  readonly file: string;
  /** Raised with every change of what the pass makes, so that kept graphs are made anew. */
  readonly version: number;
  /** Changes the model in place. Throws `NotRewritableError` for a form that it does not know. */
  rewrite(model: Model): void;
  /** Runs both; what it found, for the log. Throws `NotRewritableError` when they differ. */
  prove(original: string, rewritten: string): Promise<string>;
}

/** The graph to run, and a line for the log that says how it was come by. */
export interface RewrittenGraph {
  readonly path: string;
  readonly rewritten: boolean;
  readonly note: string;
}

/**
 * The rewritten form of a graph, made and proven on first use and kept in `cacheFolder` under the
 * digest of its source and the version of the pass. What cannot be rewritten, or does not compute the
 * same, is run as it is.
 */
export async function rewrittenGraph(
  source: string,
  cacheFolder: string,
  pass: RewritingPass,
): Promise<RewrittenGraph> {
  const name = `${await digestOf(source)}-v${pass.version}`;
  const folder = join(cacheFolder, pass.folder, name);
  const path = join(folder, pass.file);
  if (await exists(path)) return { path, rewritten: true, note: 'rewritten earlier' };
  try {
    return { path, rewritten: true, note: await make(source, folder, pass) };
  } catch (error) {
    if (!(error instanceof NotRewritableError)) throw error;
    return { path: source, rewritten: false, note: `run as exported: ${error.message}` };
  }
}

/** Written aside and moved into place once proven: a second process sees the whole or nothing. */
async function make(source: string, folder: string, pass: RewritingPass): Promise<string> {
  const model = await readModel(source);
  refuseUnwatched(source, externalFiles(model));
  pass.rewrite(model);
  const draft = `${folder}.${process.pid}.${Date.now()}`;
  await mkdir(draft, { recursive: true });
  try {
    await writeFile(join(draft, pass.file), encodeModel(model));
    for (const name of externalFiles(model))
      await bring(join(dirname(source), name), join(draft, name));
    const note = await pass.prove(source, join(draft, pass.file));
    await rename(draft, folder).catch(async (error: unknown) => {
      // Another process was first; what it made is the same.
      if (!(await exists(join(folder, pass.file)))) throw error;
    });
    return note;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * A second name for the same bytes where the file system allows it. In the Hub's cache a file is a symbolic link,
 * relative to where it lies: a name for the link itself would lead nowhere.
 */
async function bring(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const file = await realpath(from);
  await link(file, to).catch(() => copyFile(file, to));
}

/** Of the graph, and of the size and age of files that hold its weights: those named after it. */
async function digestOf(source: string): Promise<string> {
  const hash = createHash('sha256').update(basename(source));
  await addFile(hash, source);
  for (const name of (await readdir(dirname(source))).toSorted()) {
    if (!isBeside(source, name)) continue;
    const { size, mtimeMs } = await stat(join(dirname(source), name));
    hash.update(`${name} ${size} ${mtimeMs}`);
  }
  return hash.digest('hex').slice(0, 32);
}

const isBeside = (source: string, name: string): boolean =>
  name.startsWith(basename(source)) && name !== basename(source);

/** Weights in a file of another name could change without the digest seeing it. */
function refuseUnwatched(source: string, names: ReadonlySet<string>): void {
  const other = [...names].find((name) => !isBeside(source, name));
  if (other === undefined) return;
  throw new NotRewritableError(`its weights are in ${other}, not in ${basename(source)}_…`);
}

async function addFile(hash: Hash, path: string): Promise<void> {
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) hash.update(chunk);
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
