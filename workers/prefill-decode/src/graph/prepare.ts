import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { InferenceSession } from 'onnxruntime-node';
import { NotRewritableError } from './errors.ts';
import { encodeModel, externalFiles, graphOf, readModel, type Model } from './onnx.ts';
import { PASS_VERSION, isGroupQueryAttention, rewrite } from './rewrite.ts';
import { verifyRewritten } from './verify.ts';

/** The graph to run, and a line for the log that says how it was come by. */
export interface PreparedDecoder {
  readonly path: string;
  readonly groupsQueries: boolean;
  readonly note: string;
}

/**
 * The rewritten form of a decoder, made and proven on first use and kept in `cacheFolder` under the
 * digest of its source and the version of the pass. What cannot be rewritten, or does not compute the
 * same, is run as it is.
 */
export async function prepareDecoder(
  source: string,
  cacheFolder: string,
  options: InferenceSession.SessionOptions,
): Promise<PreparedDecoder> {
  const model = await readModel(source);
  if (!graphOf(model).node.some(isGroupQueryAttention)) {
    const note = 'run as exported: it has no GroupQueryAttention';
    return { path: source, groupsQueries: false, note };
  }
  const folder = join(cacheFolder, 'decoders', `${await digestOf(source, model)}-v${PASS_VERSION}`);
  const path = join(folder, 'decoder.onnx');
  if (await exists(path)) return { path, groupsQueries: false, note: 'rewritten earlier' };
  try {
    return { path, groupsQueries: false, note: await make(source, model, folder, options) };
  } catch (error) {
    if (!(error instanceof NotRewritableError)) throw error;
    return { path: source, groupsQueries: true, note: `run as exported: ${error.message}` };
  }
}

/** Written aside and moved into place once proven: a second process sees the whole or nothing. */
async function make(
  source: string,
  model: Model,
  folder: string,
  options: InferenceSession.SessionOptions,
): Promise<string> {
  rewrite(model);
  const draft = `${folder}.${process.pid}.${Date.now()}`;
  await mkdir(draft, { recursive: true });
  try {
    await writeFile(join(draft, 'decoder.onnx'), encodeModel(model));
    for (const name of externalFiles(model))
      await bring(join(dirname(source), name), join(draft, name));
    const note = await verifyRewritten(source, join(draft, 'decoder.onnx'), options);
    await rename(draft, folder).catch(async (error: unknown) => {
      // Another process was first; what it made is the same.
      if (!(await exists(join(folder, 'decoder.onnx')))) throw error;
    });
    return note;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** A second name for the same bytes where the file system allows it. */
async function bring(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to));
}

async function digestOf(source: string, model: Model): Promise<string> {
  const hash = createHash('sha256').update(basename(source));
  await addFile(hash, source);
  for (const name of [...externalFiles(model)].toSorted()) {
    const { size, mtimeMs } = await stat(join(dirname(source), name));
    hash.update(`${name} ${size} ${mtimeMs}`);
  }
  return hash.digest('hex').slice(0, 32);
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
