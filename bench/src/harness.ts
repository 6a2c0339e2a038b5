import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { BenchFleet, type FleetOptions } from './fleet/fleet.ts';
import { print } from './report/json.ts';
import { textOnly, uniqueImages, type AnswerLength } from './load/workloads.ts';
import { buildModel, MODELS_CACHE, TOKENIZER_FOLDER } from './model/build-model.ts';
import { smolvlmShape } from './model/shape.ts';
import type { BenchOptions } from './options.ts';
import { fastestPeer } from './peer/fastest-peer.ts';
import type { Peer } from './peer/peer.ts';
import { makePictures } from './pictures.ts';
import type { Picture } from './question.ts';

/** The model that a question is put to, and what suits it. */
export interface BenchModel {
  readonly name: string;
  readonly dir: string;
  /** Share of the real shape's layers; 1 for the bundled model. */
  readonly scale: number;
  /** Side of the pictures that it is shown, in pixels. */
  readonly pictureSize: number;
  /** How an answer about a picture ends. */
  readonly imageAnswer: AnswerLength;
}

const TINY = 'models/tiny-vlm';
/** One picture and one text, with answers as short as those about pictures are. */
const PEER_PROBES = 1;
const PEER_PROBE: AnswerLength = { maxTokens: 8, ignoreEos: true };

/** Starts what a question needs, and ends all of it, in reverse order, when disposed. */
export class Harness implements AsyncDisposable {
  readonly options: BenchOptions;
  readonly model: BenchModel;
  readonly #folder: string;
  readonly #stack = new AsyncDisposableStack();
  #pictureSets = 0;
  #peerThreads: number | null = null;

  private constructor(options: BenchOptions, model: BenchModel, folder: string) {
    this.options = options;
    this.model = model;
    this.#folder = folder;
    this.#stack.defer(() => rm(folder, { recursive: true, force: true }));
  }

  static async open(options: BenchOptions, defaultModel: 'tiny' | 'smolvlm'): Promise<Harness> {
    const model = await benchModel(options.model ?? defaultModel, options.scale);
    return new Harness(options, model, await mkdtemp(join(tmpdir(), 'epd-bench-pictures-')));
  }

  async startFleet(options: Omit<FleetOptions, 'modelDir'> = {}): Promise<BenchFleet> {
    const fleet = await BenchFleet.start({ modelDir: this.model.dir, ...options });
    this.#stack.defer(() => fleet.stop());
    return fleet;
  }

  /** The peer, on every core, with as many threads as suit it best unless the options say how many. */
  async startPeer(): Promise<Peer> {
    const { peerThreads } = this.options;
    const counts = peerThreads === null ? [1, availableParallelism()] : [peerThreads];
    const probes = [
      ...uniqueImages(await this.newPictures(PEER_PROBES), PEER_PROBE),
      ...textOnly(PEER_PROBES, 0, PEER_PROBE.maxTokens),
    ];
    const options = { modelDir: this.model.dir, cores: null };
    const { peer, threads } = await fastestPeer(options, [...new Set(counts)], probes);
    this.#stack.defer(() => peer.stop());
    this.#peerThreads = threads;
    return peer;
  }

  /** Pictures that nobody was shown before. */
  async newPictures(count: number): Promise<Picture[]> {
    return makePictures({
      drawings: projectPath(`${TINY}/golden`),
      folder: this.#folder,
      size: this.model.pictureSize,
      count,
      seed: ++this.#pictureSets,
    });
  }

  /** What a report says of the model and of the peer. */
  get notes(): string[] {
    const { name, scale } = this.model;
    const shape =
      scale === 1
        ? ''
        : `: scaled down to ${scale} of the layers; widths and tokens per image are kept`;
    const peer =
      this.#peerThreads === null ? [] : [`the peer has ${this.#peerThreads} thread(s) a run`];
    return [`model ${name}${shape}`, ...peer];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function benchModel(which: 'tiny' | 'smolvlm', scale: number): Promise<BenchModel> {
  if (which === 'tiny') {
    const imageAnswer = { maxTokens: 32, ignoreEos: false };
    return { name: 'tiny-vlm', dir: projectPath(TINY), scale: 1, pictureSize: 128, imageAnswer };
  }
  const shape = smolvlmShape(scale);
  print(
    `model   ${shape.name}: ${shape.vision.layers} + ${shape.text.layers} layers, built on first use`,
  );
  const dir = await buildModel(shape, {
    cacheFolder: projectPath(MODELS_CACHE),
    tokenizerFolder: projectPath(TOKENIZER_FOLDER),
  });
  const imageAnswer = { maxTokens: 32, ignoreEos: true };
  return { name: shape.name, dir, scale, pictureSize: shape.vision.imageSize, imageAnswer };
}
