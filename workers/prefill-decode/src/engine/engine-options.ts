import { resolve } from 'node:path';
import type { ConstraintLimits } from '@epd/constraint';
import type { Embedding } from '@epd/connector';
import { readModelFolder, requireOnnxFile, Tokenizer, type ModelFolder } from '@epd/model';
import type { Logger } from '@epd/service';
import type { RunnerOptions } from '../runner/messages.ts';
import type { ECConnector } from './images/embedding-loader.ts';
import type { EngineModel } from './requests/engine-model.ts';
import type { PaceLimits } from './schedule/prefill-pace.ts';

export interface EngineOptions {
  readonly modelFolder: string;
  /** Folder for rewritten graphs. */
  readonly cacheFolder: string;
  /** Memory for keys and values: slots and cached prefix blocks. */
  readonly kvCacheBytes: number;
  /** Memory for image embeddings. */
  readonly encoderCacheBytes: number;
  /**
   * Maximum tokens per step: bounds how much a long prompt delays the sequences that decode beside
   * it.
   */
  readonly tokenBudgetPerStep: number;
  /**
   * Share of the time that prefill may take while answers are streamed. @default no prompt is
   * delayed
   */
  readonly pace?: PaceLimits;
  /** Maximum tokens drafted for a sequence in a step. @default 0: none */
  readonly draftTokens?: number;
  /** Maximum sequences with a slot. */
  readonly maxBatch: number;
  /** Maximum requests in the engine; those that wait for images need no slot. */
  readonly maxHeld: number;
  readonly executionProviders?: readonly string[];
  /** Threads of one run of the decoder. */
  readonly threads: number;
  /** Threads that wait for a step's next operator do not sleep. @default false */
  readonly threadsSpin?: boolean;
  /**
   * The decoder's file, relative to the model's `onnx` folder; `auto`: the usual name of exports.
   */
  readonly decoder?: string;
  /** Suffix of the embedding table's file (fp16, q4, ...). @default the file without one */
  readonly embedTokens?: string;
  /** Null: only `embeddings` are known. */
  readonly connector: ECConnector | null;
  readonly embeddings?: ReadonlyMap<string, Embedding>;
  /** A step that takes longer counts as hung. @default 2 minutes */
  readonly runTimeoutMs?: number;
  /** Called when a step hangs. The callee must exit the process: nothing can interrupt the step. */
  readonly onHang?: () => void;
  /** For tests: the number of the step that hangs. @default none */
  readonly hangAtStep?: number;
  /** Limits of constraints. @default the engine's own limits, 5 s to compile one, 10 s a mask */
  readonly constraints?: ConstraintSettings;
  readonly logger?: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
}

interface ConstraintSettings {
  readonly limits: ConstraintLimits;
  /** A constraint that takes longer to compile is refused. */
  readonly compileMs: number;
  /** The longest that a step waits for one mask. */
  readonly maskMs: number;
}

/** Throws `ModelFolderError` when the folder cannot be used. */
export async function readEngineModel(
  options: EngineOptions,
): Promise<{ model: EngineModel; runner: RunnerOptions }> {
  const variants = { embed_tokens: options.embedTokens ?? '' };
  const folder = await readModelFolder(options.modelFolder, { variants });
  const tokenizer = new Tokenizer(folder);
  const { eosTokenIds, imageTokenId } = tokenizer;
  const contextLength = folder.model.text.contextLength;
  return {
    model: { contextLength, imageTokenId, eosTokenIds, tokenizer },
    runner: {
      decoderPath: decoderPath(folder, options.decoder ?? 'auto'),
      embedTokensPath: requireOnnxFile(folder.onnx, 'embed_tokens').path,
      cacheFolder: options.cacheFolder,
      executionProviders: options.executionProviders ?? ['cpu'],
      threads: options.threads,
      threadsSpin: options.threadsSpin ?? false,
      hangAtStep: options.hangAtStep ?? 0,
    },
  };
}

function decoderPath(folder: ModelFolder, decoder: string): string {
  if (decoder !== 'auto') return resolve(folder.onnx.folder, decoder);
  return requireOnnxFile(folder.onnx, 'decoder_model_merged').path;
}
