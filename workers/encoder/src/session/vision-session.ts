import type { Embedding } from '@epd/connector';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ImageTiles, VisionOptions } from './vision-messages.ts';

/** One tile of one image, and where its embedding goes. */
interface Tile {
  readonly pixels: Float32Array<SharedArrayBuffer>;
  readonly out: Float32Array;
}

/**
 * A vision encoder's graph, as the Hub's exports have it: pixels `[images, tiles, 3, side, side]` with
 * a mask of the same but for the channels, or pixels `[images, 3, side, side]` alone. Tiles do not see
 * each other, so each is given as an image of its own and none is padded.
 */
export class VisionSession {
  readonly #session: InferenceSession;
  readonly #options: VisionOptions;

  private constructor(session: InferenceSession, options: VisionOptions) {
    this.#session = session;
    this.#options = options;
  }

  static async open(path: string, options: VisionOptions): Promise<VisionSession> {
    const session = await InferenceSession.create(path, {
      executionProviders: [...options.executionProviders],
      ...(options.threads > 0 ? { intraOpNumThreads: options.threads } : {}),
      // Warnings are about the export's leftovers, and are not JSON lines.
      logSeverityLevel: 3,
      // Idle threads would otherwise spin and take the processor from preprocessing.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new VisionSession(session, options);
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  /** Embeddings by image; a cut image's tiles follow each other. Blocks its thread. */
  async encode(images: readonly ImageTiles[], tilesPerRun: number): Promise<Embedding[]> {
    const { rowsPerTile, width } = this.#options;
    const outputs = images.map(({ tiles }) => new Float32Array(tiles * rowsPerTile * width));
    const tiles = images.flatMap((image, index) => this.#tilesOf(image, outputs[index]!));
    for (let start = 0; start < tiles.length; start += tilesPerRun) {
      await this.#run(tiles.slice(start, start + tilesPerRun));
    }
    return outputs.map((data) => ({
      rows: data.length / width,
      width,
      dtype: 'F32',
      data: new Uint8Array(data.buffer),
    }));
  }

  #tilesOf({ tiles, data }: ImageTiles, output: Float32Array): Tile[] {
    const pixels = data.length / tiles;
    const values = output.length / tiles;
    return Array.from({ length: tiles }, (_, index) => ({
      pixels: data.subarray(index * pixels, (index + 1) * pixels),
      out: output.subarray(index * values, (index + 1) * values),
    }));
  }

  async #run(tiles: readonly Tile[]): Promise<void> {
    const results = await this.#session.run(this.#feeds(tiles));
    const output = results[this.#session.outputNames[0]!]!;
    const values = this.#checked(output, tiles.length);
    for (const [index, { out }] of tiles.entries()) {
      out.set(values.subarray(index * out.length, (index + 1) * out.length));
    }
    output.dispose();
  }

  #feeds(tiles: readonly Tile[]): Record<string, Tensor> {
    const { side } = this.#options;
    const pixels = new Float32Array(tiles.length * 3 * side * side);
    for (const [index, tile] of tiles.entries())
      pixels.set(tile.pixels, index * tile.pixels.length);
    const feeds: Record<string, Tensor> = {};
    for (const input of this.#session.inputMetadata) {
      if (!input.isTensor) continue;
      const isMask = input.type === 'bool';
      const perImage = isMask || input.shape.length > 4 ? [1] : [];
      feeds[input.name] = isMask
        ? maskTensor([tiles.length, ...perImage, side, side])
        : pixelTensor(input.type, pixels, [tiles.length, ...perImage, 3, side, side]);
    }
    return feeds;
  }

  /** The graph's values as 32-bit floats. Throws when they are not as many as expected, or not finite. */
  #checked(output: Tensor, tiles: number): Float32Array {
    const { rowsPerTile, width } = this.#options;
    const values = Float32Array.from(output.data as Float32Array | Float16Array);
    if (values.length !== tiles * rowsPerTile * width || output.dims.at(-1) !== width) {
      throw new Error(
        `The vision encoder gave [${output.dims.join(', ')}], not [${tiles}, ${rowsPerTile}, ${width}]`,
      );
    }
    if (!values.every(Number.isFinite)) {
      throw new Error('The vision encoder gave values that are not finite');
    }
    return values;
  }
}

/** Every pixel counts: tiles are never padded. */
function maskTensor(dims: readonly number[]): Tensor {
  const mask = new Uint8Array(dims.reduce((product, size) => product * size, 1));
  return new Tensor('bool', mask.fill(1), dims);
}

function pixelTensor(type: string, pixels: Float32Array, dims: readonly number[]): Tensor {
  if (type !== 'float16') return new Tensor('float32', pixels, dims);
  // The declarations know only the older form, 16-bit integers; the runtime takes both.
  const halves = new Uint16Array(Float16Array.from(pixels).buffer);
  return new Tensor('float16', halves, dims);
}
