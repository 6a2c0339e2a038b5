import { findTemplate } from './prompt/chat-template.ts';
import type { ImageGeometry } from './families/geometry.ts';
import type { ModelFolder } from './folder/model-folder.ts';
import { imageRules } from './prompt/image-rules.ts';
import { templateOptions } from './prompt/output-format.ts';
import { bytesPerTokenMax } from './tokens/token-bytes.ts';
import { Tokenizer } from './tokens/tokenizer.ts';

/** What a fleet must know of a model without reading its folder: the fields that workers register. */
export interface ModelFacts {
  readonly v: 1;
  readonly id: string;
  readonly fingerprint: string;
  /** What shapes answers; absent where it is not known: an encoder reads no decoder. */
  readonly revision?: string;
  /** Options of the image processor that shape embeddings: part of an image's `mm_hash`. */
  readonly processing: Readonly<Record<string, unknown>>;
  readonly geometry: ImageGeometry & Record<string, unknown>;
  readonly contextLength: number;
  /** The most bytes of text that one token can stand for: bounds text by the context, without a tokenizer. */
  readonly bytesPerTokenMax: number;
  readonly hiddenSize: number;
  /** Values in a row of an image's embedding. */
  readonly embeddingWidth: number;
  /** What its chat template can be told beside messages; absent where it is not known. */
  readonly templateOptions?: string[];
  readonly createdAtMs: number;
}

export function modelCard(folder: ModelFolder, fingerprint: string, revision?: string): ModelFacts {
  const template = findTemplate(folder);
  return {
    v: 1,
    id: folder.id,
    fingerprint,
    ...(revision === undefined ? {} : { revision }),
    processing: folder.model.processing,
    geometry: { ...imageRules(folder, new Tokenizer(folder)).geometry },
    contextLength: folder.model.text.contextLength,
    bytesPerTokenMax: bytesPerTokenMax(folder.tokenizer),
    hiddenSize: folder.model.text.hiddenSize,
    embeddingWidth: folder.embeddingWidth,
    ...(template === null ? {} : { templateOptions: templateOptions(template) }),
    createdAtMs: folder.createdAtMs,
  };
}
