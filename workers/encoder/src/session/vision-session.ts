import type { Embedding } from '@epd/connector';
import type { VisionItem } from '@epd/model/preprocess';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { visionFeeds } from './vision-feeds.ts';
import type { VisionOptions } from './vision-messages.ts';
import { visionRows } from './vision-rows.ts';

/** One part of one item, and where its embedding goes. */
export interface Part {
  readonly pixels: Float32Array<SharedArrayBuffer>;
  readonly dims: readonly number[];
  readonly grid: VisionItem['grid'];
  readonly rows: number;
  readonly out: Float32Array;
}

/**
 * A vision encoder's graph, as the Hub's exports have it. `visionFeeds` fills its inputs by their
 * kind. Parts do not attend to each other, so each is a separate image and none is padded; a part
 * with a grid has its own size, and its own run.
 */
export class VisionSession {
  readonly #session: InferenceSession;
  readonly #width: number;

  private constructor(session: InferenceSession, width: number) {
    this.#session = session;
    this.#width = width;
  }

  static async open(path: string, options: VisionOptions): Promise<VisionSession> {
    const session = await InferenceSession.create(path, {
      executionProviders: [...options.executionProviders],
      ...(options.threads > 0 ? { intraOpNumThreads: options.threads } : {}),
      // ONNX Runtime's warnings concern leftovers of the export, and are not JSON lines.
      logSeverityLevel: 3,
      // Idle threads would otherwise spin and take CPU time from preprocessing.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new VisionSession(session, options.width);
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  /** Embeddings by item; the rows of its parts follow each other. Blocks its thread. */
  async encode(items: readonly VisionItem[], partsPerRun: number): Promise<Embedding[]> {
    const outputs = items.map(({ rows }) => new Float32Array(rows * this.#width));
    const parts = items.flatMap((item, index) => partsOf(item, outputs[index]!));
    while (parts.length > 0) await this.#run(parts.splice(0, runLength(parts, partsPerRun)));
    return outputs.map((data, index) => ({
      rows: items[index]!.rows,
      width: this.#width,
      dtype: 'F32',
      data: new Uint8Array(data.buffer),
    }));
  }

  async #run(parts: readonly Part[]): Promise<void> {
    const results = await this.#session.run(visionFeeds(this.#session, parts));
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const values = visionRows(results, this.#session.outputNames, { rows, width: this.#width });
    let at = 0;
    for (const { out } of parts) {
      out.set(values.subarray(at, at + out.length));
      at += out.length;
    }
    for (const output of Object.values<Tensor>(results)) output.dispose();
  }
}

function partsOf({ parts, rows, dims, grid, data }: VisionItem, output: Float32Array): Part[] {
  const pixels = data.length / parts;
  const values = output.length / parts;
  return Array.from({ length: parts }, (_, index) => ({
    pixels: data.subarray(index * pixels, (index + 1) * pixels),
    dims,
    grid,
    rows: rows / parts,
    out: output.subarray(index * values, (index + 1) * values),
  }));
}

function runLength(parts: readonly Part[], partsPerRun: number): number {
  const apart = parts.findIndex(({ grid }) => grid !== null);
  if (apart === 0) return 1;
  return Math.min(partsPerRun, apart < 0 ? parts.length : apart);
}
