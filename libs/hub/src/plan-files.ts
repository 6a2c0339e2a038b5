import { HubError } from './errors.ts';
import { GRAPHS, precisionOf, type Graph, type ModelName } from './model-name.ts';

/** What the planner reads of a file: its path in the repository and its size in bytes. */
export interface PlannedFile {
  readonly path: string;
  readonly size: number;
}

/** The file that a graph takes, and what it weighs with the weights beside it, in bytes. */
export interface PlannedGraph {
  readonly graph: Graph;
  readonly path: string;
  readonly bytes: number;
}

/** Of a model's files, those that some graphs need, and which variant each graph takes. */
export interface FilePlan<F extends PlannedFile> {
  readonly files: readonly F[];
  readonly graphs: readonly PlannedGraph[];
  /** Paths of all graphs that are there. */
  readonly offered: readonly string[];
  /** Suffix of each graph's file; '' is the file without one. */
  readonly suffixes: { readonly [graph in Graph]?: string };
  /** Graphs that take another variant than the one asked for, since the repository lacks it. */
  readonly substitutes: readonly {
    readonly graph: Graph;
    readonly asked: string;
    readonly taken: string;
  }[];
}

/** Read by one role or another, all small; a tokenizer's can reach 30 MB. */
const CONFIGURATION =
  /^(config|generation_config|preprocessor_config|processor_config|video_preprocessor_config|image_processor_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|chat_template)\.json$|^chat_template\.jinja$/;

/** Whether a file is read by name beside the graphs: everything that is known of a model without its weights. */
export const isConfiguration = ({ path }: PlannedFile): boolean => CONFIGURATION.test(path);

/**
 * What other graphs than the one that was named may take instead of a variant that is not there, best
 * first: an export often holds its decoder in more variants than its embeddings.
 */
const SUBSTITUTES: Readonly<Record<string, readonly string[]>> = {
  q4f16: ['fp16', 'q4', ''],
  q4: ['quantized', 'fp16', ''],
  fp16: [''],
};
const OTHERWISE = ['quantized', 'fp16', ''];

/**
 * The files of a repository that `graphs` need. A variant named for one graph, or for the decoder by
 * naming the whole model's, must be there; other graphs may take the nearest. Throws `HubError`
 * (`missing_variant`, `missing_file`, `other_layout`) with what is there.
 */
export function planFiles<F extends PlannedFile>(
  all: readonly F[],
  name: ModelName,
  graphs: readonly Graph[],
): FilePlan<F> {
  const paths = new Set(all.map(({ path }) => path));
  refuseOtherLayouts(name, paths);
  const files = all.filter(isConfiguration);
  const planned: PlannedGraph[] = [];
  const suffixes: { [graph in Graph]?: string } = {};
  const substitutes: { graph: Graph; asked: string; taken: string }[] = [];
  for (const graph of graphs) {
    const asked = name.variants.graphs[graph] ?? name.variants.all ?? '';
    const taken = choose(paths, name, graph, asked);
    suffixes[graph] = taken;
    if (taken !== asked) substitutes.push({ graph, asked, taken });
    const path = graphFile(graph, taken);
    const own = graphFiles(all, path);
    planned.push({ graph, path, bytes: own.reduce((sum, { size }) => sum + size, 0) });
    files.push(...own);
  }
  const offered = [...paths].filter((path) => /^onnx\/[^/]+\.onnx$/.test(path));
  return { files, graphs: planned, offered, suffixes, substitutes };
}

/** The variants of a graph that a repository holds, as suffixes. */
function variantsOf(paths: Iterable<string>, graph: Graph): string[] {
  const pattern = new RegExp(`^onnx/${graph}(?:_([a-z0-9_]+))?\\.onnx$`);
  const matches = Array.from(paths, (path) => pattern.exec(path)).filter((match) => match !== null);
  return matches.map((match) => match[1] ?? '').toSorted();
}

const graphFile = (graph: Graph, suffix: string): string =>
  `onnx/${graph}${suffix === '' ? '' : `_${suffix}`}.onnx`;

/** The graph and the files of external weights beside it: `.onnx_data`, `.onnx_data_1`, `.onnx.data`. */
function graphFiles<F extends PlannedFile>(all: readonly F[], graph: string): F[] {
  return all.filter(
    ({ path }) =>
      path === graph || path.startsWith(`${graph}_data`) || path.startsWith(`${graph}.data`),
  );
}

function choose(paths: ReadonlySet<string>, name: ModelName, graph: Graph, asked: string): string {
  if (paths.has(graphFile(graph, asked))) return asked;
  const strict = name.variants.graphs[graph] !== undefined || graph === 'decoder_model_merged';
  const others = strict || asked === '' ? [] : (SUBSTITUTES[asked] ?? OTHERWISE);
  const taken = others.find((suffix) => paths.has(graphFile(graph, suffix)));
  if (taken !== undefined) return taken;
  throw missingVariant(variantsOf(paths, graph), name, graph, asked);
}

function missingVariant(there: string[], name: ModelName, graph: Graph, asked: string): HubError {
  const wanted = graphFile(graph, asked);
  if (there.length === 0) {
    const message = `${name.repository} has no ${wanted}: it is no export with split graphs (${GRAPHS.join(', ')})`;
    return new HubError('missing_file', message);
  }
  const variants = there.map(precisionOf);
  const example = `${name.repository}:${precisionOf(there[0] ?? '')}`;
  const message = `${name.repository} has no ${wanted}. Its variants of that graph: ${variants.join(', ')}; for example ${example}`;
  return new HubError('missing_variant', message);
}

/** Repositories in the layout of ONNX Runtime's own generation library load nowhere else. */
function refuseOtherLayouts({ repository }: ModelName, paths: ReadonlySet<string>): void {
  if (paths.has('config.json') && [...paths].some((path) => path.startsWith('onnx/'))) return;
  const generation = [...paths].some((path) => path.endsWith('genai_config.json'));
  const found = generation
    ? 'it is laid out for onnxruntime-genai (genai_config.json)'
    : 'it holds no config.json with graphs in onnx/';
  const message = `${repository} cannot be served: ${found}. Wanted is an export with onnx/vision_encoder.onnx, onnx/embed_tokens.onnx and onnx/decoder_model_merged.onnx, as onnx-community makes them`;
  throw new HubError('other_layout', message);
}
