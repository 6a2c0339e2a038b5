import type { ImageSize, PromptImage } from '../image-size.ts';
import type { ModelFiles } from '../files/model-files.ts';
import type { Grid } from '../positions.ts';

/** What a family's arithmetic of images needs of a folder: data as JSON holds it, with the family's name. */
export interface FamilyGeometry {
  readonly family: string;
}

/**
 * A family of models: all that differs between the folders this product can serve. One folder of files
 * each; nothing about a family stands outside of its folder. What pixels it makes of an image is in its
 * `preprocess.ts`, which only encoders load.
 */
export interface ModelFamily<G extends FamilyGeometry> {
  readonly name: G['family'];
  /** Values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** Throws `ModelFolderError` for a configuration that is not understood. */
  read(files: ModelFiles): FamilyModel<G>;
}

/** What a family makes of one folder's configuration. Holds no weights and no pixels. */
export interface FamilyModel<G extends FamilyGeometry> {
  readonly text: { readonly hiddenSize: number; readonly contextLength: number };
  /** Layers of the text model to whose outputs an image adds, in graphs that have it. */
  readonly deepstackLevels: number;
  /** The token whose places in a prompt take the rows of images. */
  readonly rowToken: { readonly text: string; readonly id: number };
  /** What the chat template writes where an image goes: a control token. */
  readonly placeholder: string;
  /** For a folder that brings none. */
  readonly chatTemplate: string | null;
  /** False where the template places the token that begins a prompt by itself. */
  readonly beginsWithBos: boolean;
  /** Configuration that shapes embeddings beside the graph: part of the fingerprint. */
  readonly shaping: unknown;
  /** Options of preprocessing that shape embeddings, each with its effective value: part of `mm_hash`. */
  readonly processing: Readonly<Record<string, unknown>>;
  /** `count`: tokens that a piece of markup takes. Throws `ModelFolderError`. */
  images(count: (markup: string) => number): ImageRules<G>;
}

/** What becomes of an image in a prompt. */
export interface ImageRules<G extends FamilyGeometry> {
  readonly geometry: G;
  /** What replaces an image's placeholder. */
  markup(size: PromptImage): readonly MarkupPart[];
  /** The cells that the rows are, where positions follow them; null: every token's position is its place. */
  readonly grid: ((size: ImageSize) => Grid) | null;
}

/** A stretch of markup: text with control tokens in it, or so many tokens that take the next rows. */
export type MarkupPart = { readonly text: string } | { readonly rows: number };
