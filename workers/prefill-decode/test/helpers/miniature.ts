import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Embedding, MultiModalFeature } from '@epd/connector';
import { PromptBuilder, readModelFolder, type Prompt, type PromptMessage } from '@epd/model';
import { itemMaker, type PreparedImage, type RgbImage } from '@epd/model/preprocess';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { drawn } from '../../../../test/helpers/drawn.ts';

/** Golden pictures have sizes that need no scaling. */
const same = async (image: RgbImage): Promise<RgbImage> => image;

const MINIATURES = fileURLToPath(new URL('../../../../models/miniatures', import.meta.url));

/** A picture by its formula: width, height, seed. */
type Picture = readonly [width: number, height: number, seed: number];

interface Sampled {
  readonly size: number;
  readonly stride: number;
  readonly values: readonly number[];
}

/** What PyTorch computed: see models/making/families/golden.py. */
export interface Golden {
  readonly cases: readonly {
    readonly images: readonly Picture[];
    readonly messages: readonly PromptMessage[];
    /** Tokens in runs. */
    readonly prompt: readonly (readonly [id: number, count: number])[];
    readonly tokens: readonly number[];
    readonly positions?: readonly (readonly number[])[];
    readonly delta?: number;
  }[];
  readonly features: readonly {
    readonly image: Picture;
    readonly pixels: Sampled;
    readonly features: Sampled;
  }[];
  readonly sizes?: readonly (readonly [width: number, height: number, tokens: number])[];
}

const opened = new Map<string, Promise<Miniature>>();

/** A family's miniature: its prompts, and its images encoded by its own graph. */
export class Miniature {
  readonly name: string;
  readonly folder: string;
  readonly golden: Golden;
  readonly prompts: PromptBuilder;
  readonly #make: ReturnType<typeof itemMaker>;
  readonly #vision: InferenceSession;
  readonly #embeddings = new Map<string, Promise<Embedding>>();

  private constructor(
    folder: string,
    golden: Golden,
    parts: { prompts: PromptBuilder; make: ReturnType<typeof itemMaker>; vision: InferenceSession },
  ) {
    this.name = basename(folder);
    this.folder = folder;
    this.golden = golden;
    this.prompts = parts.prompts;
    this.#make = parts.make;
    this.#vision = parts.vision;
  }

  /** One per process: its graph and the embeddings it made serve all tests of a file. */
  static open(name: string): Promise<Miniature> {
    const known = opened.get(name) ?? Miniature.#read(name);
    opened.set(name, known);
    return known;
  }

  static async #read(name: string): Promise<Miniature> {
    const path = join(MINIATURES, name);
    const golden = JSON.parse(await readFile(join(path, 'golden.json'), 'utf8')) as Golden;
    const folder = await readModelFolder(path);
    const prompts = new PromptBuilder(folder);
    const make = itemMaker(folder, prompts.geometry, { sampled: same, antialiased: same });
    const vision = await InferenceSession.create(join(path, 'onnx/vision_encoder.onnx'), {
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    return new Miniature(path, golden, { prompts, make, vision });
  }

  item([width, height, seed]: Picture): Promise<PreparedImage> {
    return this.#make({ width, height, data: drawn(width, height, seed) });
  }

  embedding(picture: Picture): Promise<Embedding> {
    const known = this.#embeddings.get(picture.join());
    const made = known ?? this.item(picture).then((item) => this.#encode(item));
    this.#embeddings.set(picture.join(), made);
    return made;
  }

  prompt({ messages, images }: Golden['cases'][number]): Prompt {
    const sizes = images.map(([width, height]) => ({ width, height }));
    return this.prompts.build({ messages }, sizes);
  }

  features({ spans }: Prompt, images: readonly Picture[]): MultiModalFeature[] {
    return spans.map(({ image, offset, length, rows }) => ({
      mmHash: images[image]!.join(),
      offset,
      length,
      rows,
    })) as MultiModalFeature[];
  }

  /** A row of the result is a row of features, then of each level that the graph gives beside them. */
  async #encode({ data, dims, grid, rows }: PreparedImage): Promise<Embedding> {
    const feeds: Record<string, Tensor> = {};
    for (const name of this.#vision.inputNames) {
      feeds[name] = name.endsWith('grid_thw')
        ? new Tensor('int64', BigInt64Array.from(grid ?? [], BigInt), [1, 3])
        : new Tensor('float32', data, grid === null ? [1, ...dims] : dims);
    }
    const outputs = await this.#vision.run(feeds);
    const parts = this.#vision.outputNames.map((name) => outputs[name]!.data as Float32Array);
    const own = parts[0]!.length / rows;
    const levels = parts.flatMap((part) =>
      Array.from({ length: part.length / (rows * own) }, (_, level) =>
        part.subarray(level * rows * own, (level + 1) * rows * own),
      ),
    );
    const values = Array.from({ length: rows }, (_, row) =>
      levels.flatMap((level) => Array.from(level.subarray(row * own, (row + 1) * own))),
    ).flat();
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    return { rows, width: own * levels.length, dtype: 'F32', data: bytes };
  }
}

/** The largest difference between what was sampled and the values it was sampled from. */
export function farthest({ size, stride, values }: Sampled, found: Float32Array): number {
  if (size !== found.length) return Number.POSITIVE_INFINITY;
  return Math.max(...values.map((value, index) => Math.abs(value - found[index * stride]!)));
}
