import type { EmbeddingDtype } from '@epd/connector';
import { Tensor, type InferenceSession } from 'onnxruntime-node';
import { ELEMENT, graphOf, readModel, type Tensor as Weights } from '@epd/graph';
import type { FloatArray } from '../decoder/float-array.ts';
import type { SharedEmbedding, StepRow } from './messages.ts';

/** Writes the embeddings of tokens, [tokens, hiddenSize], at an offset in elements. */
export interface TokenEmbedder {
  write(tokens: readonly number[], into: FloatArray, offset: number): Promise<void>;
}

/** Reads rows of a table that was extracted from the graph: no session run per step. */
export class TableEmbedder implements TokenEmbedder {
  readonly #table: FloatArray;
  readonly #width: number;

  constructor(table: FloatArray, width: number) {
    this.#table = table;
    this.#width = width;
  }

  async write(tokens: readonly number[], into: FloatArray, offset: number): Promise<void> {
    const width = this.#width;
    for (const [index, id] of tokens.entries()) {
      into.set(this.#table.subarray(id * width, (id + 1) * width), offset + index * width);
    }
  }
}

/** For graphs that do more than a lookup, such as quantized tables. */
export class SessionEmbedder implements TokenEmbedder {
  readonly #session: InferenceSession;

  constructor(session: InferenceSession) {
    this.#session = session;
  }

  async write(tokens: readonly number[], into: FloatArray, offset: number): Promise<void> {
    const input_ids = new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
    const outputs = await this.#session.run({ input_ids });
    const embeds = outputs[this.#session.outputNames[0] ?? ''];
    if (!embeds) throw new TypeError('The embedding graph returned nothing');
    into.set(embeds.data as FloatArray, offset);
  }
}

/** The table, if the graph is a single lookup in weights inside the file; otherwise null. */
export async function readTable(path: string): Promise<TableEmbedder | null> {
  const graph = graphOf(await readModel(path));
  const [lookup, ...more] = graph.node;
  const weights = graph.initializer.find((tensor) => tensor.name === lookup?.input?.[0]);
  if (more.length > 0 || lookup?.opType !== 'Gather' || !weights?.rawData?.length) return null;
  const table = tableOf(weights);
  return table && new TableEmbedder(table, Number(weights.dims?.[1] ?? 0));
}

function tableOf(weights: Weights): FloatArray | null {
  const bytes = Uint8Array.from(weights.rawData ?? []);
  if (weights.dataType === ELEMENT.float) return new Float32Array(bytes.buffer);
  return weights.dataType === ELEMENT.float16 ? new Float16Array(bytes.buffer) : null;
}

/** The target of a chunk's image rows: from token `at` on, `width` elements each. */
export interface RowTarget {
  readonly width: number;
  readonly into: FloatArray;
  /** Offset of the chunk's first token, in elements. */
  readonly offset: number;
  /** Offset of this target's part within an image row. @default 0 */
  readonly from?: number;
}

/**
 * Replaces the embeddings of a chunk's placeholder tokens by the image rows, or by a part of each
 * row.
 */
export function writeImages(
  row: StepRow,
  embeddings: ReadonlyMap<string, SharedEmbedding>,
  target: RowTarget,
): void {
  const { into, offset, width, from: part = 0 } = target;
  for (const { mmHash, from, at, count } of row.images) {
    const embedding = embeddings.get(mmHash);
    if (!embedding) throw new RangeError(`The embedding ${mmHash} is not loaded`);
    const values = valuesOf(embedding);
    if (embedding.width === width) {
      into.set(values.subarray(from * width, (from + count) * width), offset + at * width);
      continue;
    }
    for (let index = 0; index < count; index++) {
      const start = (from + index) * embedding.width + part;
      into.set(values.subarray(start, start + width), offset + (at + index) * width);
    }
  }
}

type Values = Float32Array | Float16Array;

function valuesOf(embedding: SharedEmbedding): Values {
  const { data, dtype, rows, width } = embedding;
  return READERS[dtype](data, rows * width);
}

const READERS: Record<EmbeddingDtype, (data: Uint8Array, length: number) => Values> = {
  F32: (data, length) => new Float32Array(data.buffer, data.byteOffset, length),
  F16: (data, length) => new Float16Array(data.buffer, data.byteOffset, length),
  BF16: (data, length) => {
    const halves = new Uint16Array(data.buffer, data.byteOffset, length);
    return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
  },
};
