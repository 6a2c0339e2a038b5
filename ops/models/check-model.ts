import { stat } from 'node:fs/promises';
import { GRAPHS, openModel, type ModelConfig } from '@epd/hub';
import {
  imageLayout,
  imageRules,
  ONNX_ROLES,
  readModelFolder,
  requireOnnxFile,
  Tokenizer,
  type ModelFolder,
  type OnnxRole,
} from '@epd/model';
import { projectPath } from '@epd/service';
import { keysAndValuesPerToken } from './kv-size.ts';

export interface ImageSide {
  readonly width: number;
  readonly height: number;
}

const RUNS_IN: Readonly<Record<OnnxRole, string>> = {
  vision_encoder: 'encoder',
  embed_tokens: 'prefill/decode',
  decoder_model_merged: 'prefill/decode',
};
/** Node, ONNX Runtime and what a process holds beside its graphs, as measured with small models. */
const PROCESS_BYTES = 300e6;

/** Says what a model needs and what will run where. Fetches what is missing. Throws for what cannot be served. */
export async function checkModel(
  config: ModelConfig,
  name: string,
  size: ImageSide,
  say: (line: string) => void,
): Promise<void> {
  const opened = await openModel(
    { ...config, model: name },
    { graphs: GRAPHS, base: projectPath('.') },
  );
  for (const note of opened.notes) say(note);
  const { id, variants } = opened;
  const folder = await readModelFolder(opened.folder, { id, variants });
  say(`${id} in ${opened.folder}`);
  for (const [label, text] of [
    ['family', `${folder.family.name}, model_type ${folder.config.model_type}`],
    ...(await graphLines(folder)),
    ['there are', folder.onnx.files.join(', ')],
    ['context', contextLine(folder)],
    ['memory', await memoryLine(folder)],
    ['picture', pictureLine(folder, size)],
  ] as const)
    say(`  ${label.padEnd(16)}${text}`);
}

async function graphLines({ onnx }: ModelFolder): Promise<[string, string][]> {
  return Promise.all(
    ONNX_ROLES.map(async (role): Promise<[string, string]> => {
      const { path } = requireOnnxFile(onnx, role);
      const file = path.slice(onnx.folder.length + 1);
      return [RUNS_IN[role], `${file}, ${megabytes(await bytesOf(onnx, role))}`];
    }),
  );
}

function contextLine(folder: ModelFolder): string {
  const { contextLength } = folder.model.text;
  const each = keysAndValuesPerToken(folder);
  const kv = each === null ? 'keys and values of unknown size' : `${each} bytes of keys and values`;
  return `${contextLength} tokens, each ${kv}`;
}

async function memoryLine({ onnx }: ModelFolder): Promise<string> {
  const of = async (process: string): Promise<number> => {
    const roles = ONNX_ROLES.filter((role) => RUNS_IN[role] === process);
    const sizes = await Promise.all(roles.map((role) => bytesOf(onnx, role)));
    return sizes.reduce((sum, bytes) => sum + bytes, PROCESS_BYTES);
  };
  const [encoder, decoder] = [await of('encoder'), await of('prefill/decode')];
  return `encoder about ${megabytes(encoder)}, prefill/decode about ${megabytes(decoder)} and EPD_KV_CACHE_BYTES`;
}

function pictureLine(folder: ModelFolder, { width, height }: ImageSide): string {
  const { geometry } = imageRules(folder, new Tokenizer(folder));
  const { tokens, expansion } = imageLayout(geometry, width, height);
  return `${width}x${height} takes ${expansion} tokens of a prompt, ${tokens} of them embeddings`;
}

async function bytesOf(onnx: ModelFolder['onnx'], role: OnnxRole): Promise<number> {
  const { path, dataPaths } = requireOnnxFile(onnx, role);
  const files = await Promise.all([path, ...dataPaths].map((file) => stat(file)));
  return files.reduce((sum, { size }) => sum + size, 0);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
