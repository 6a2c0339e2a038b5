import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { GRAPHS, openModel, type ModelConfig, type OpenedModel } from '@epd/hub';
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

/** The file of a graph, with the weights beside it. */
interface GraphFile {
  readonly role: OnnxRole;
  readonly name: string;
  readonly bytes: number;
  readonly isHere: boolean;
}

/**
 * Says what a model needs and what will run where. Of a name on the Hub it fetches the configuration alone. Throws
 * for what cannot be served.
 */
export async function checkModel(
  config: ModelConfig,
  name: string,
  size: ImageSide,
  say: (line: string) => void,
): Promise<void> {
  const opened = await openModel(
    { ...config, model: name },
    { graphs: GRAPHS, fetchesGraphs: false, base: projectPath('.') },
  );
  for (const note of opened.notes) say(note);
  const { id, variants, listing } = opened;
  const folder = await readModelFolder(opened.folder, { id, variants });
  const graphs = listing === null ? await graphsIn(folder) : graphsOf(listing, folder);
  say(`${id} in ${opened.folder}`);
  for (const [label, text] of [
    ['family', `${folder.family.name}, model_type ${folder.config.model_type}`],
    ...graphs.map((graph) => [RUNS_IN[graph.role], graphLine(graph)] as const),
    ['there are', (listing?.offered.map((path) => basename(path)) ?? folder.onnx.files).join(', ')],
    ['context', await contextLine(folder)],
    ['memory', memoryLine(graphs)],
    ['picture', pictureLine(folder, size)],
  ] as const)
    say(`  ${label.padEnd(16)}${text}`);
}

async function graphsIn({ onnx }: ModelFolder): Promise<GraphFile[]> {
  return Promise.all(
    ONNX_ROLES.map(async (role) => {
      const { path, dataPaths } = requireOnnxFile(onnx, role);
      const files = await Promise.all([path, ...dataPaths].map((file) => stat(file)));
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      return { role, name: basename(path), bytes, isHere: true };
    }),
  );
}

const graphsOf = (
  { graphs }: NonNullable<OpenedModel['listing']>,
  { onnx }: ModelFolder,
): GraphFile[] =>
  graphs.map(({ graph, path, bytes }) => {
    const isHere = onnx.present[graph] !== undefined;
    return { role: graph, name: basename(path), bytes, isHere };
  });

const graphLine = ({ name, bytes, isHere }: GraphFile): string =>
  `${name}, ${megabytes(bytes)}${isHere ? '' : ', not fetched yet'}`;

async function contextLine(folder: ModelFolder): Promise<string> {
  const { contextLength } = folder.model.text;
  const each = await keysAndValuesPerToken(folder);
  const kv = each === null ? 'keys and values of unknown size' : `${each} bytes of keys and values`;
  return `${contextLength} tokens, each ${kv}`;
}

function memoryLine(graphs: readonly GraphFile[]): string {
  const of = (process: string): number =>
    graphs
      .filter(({ role }) => RUNS_IN[role] === process)
      .reduce((sum, { bytes }) => sum + bytes, PROCESS_BYTES);
  return `encoder about ${megabytes(of('encoder'))}, prefill/decode about ${megabytes(of('prefill/decode'))} and EPD_KV_CACHE_BYTES`;
}

function pictureLine(folder: ModelFolder, { width, height }: ImageSide): string {
  const { geometry } = imageRules(folder, new Tokenizer(folder));
  const { tokens, expansion } = imageLayout(geometry, width, height);
  return `${width}x${height} takes ${expansion} tokens of a prompt, ${tokens} of them embeddings`;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
