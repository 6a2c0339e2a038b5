import type { ImageSize, ImageSpan, PromptMessage, PromptPositions } from '@epd/model';

/** Messages between the main thread and a prompt thread. */

export interface PromptRequest {
  readonly messages: readonly PromptMessage[];
  /** The text of the single message is the prompt. */
  readonly raw?: boolean;
  /** Sizes in pixels of the images that the messages name by index. */
  readonly images: readonly ImageSize[];
}

export interface PromptThreadOptions {
  readonly modelFolder: string;
  /** @default the model library's */
  readonly imageTokensMax?: number;
}

export type FromPromptThread =
  | { readonly type: 'ready' }
  | {
      readonly type: 'built';
      readonly tokens: Int32Array<ArrayBuffer>;
      readonly spans: readonly ImageSpan[];
      readonly positions: PromptPositions | null;
    }
  /** The messages are no valid prompt for this model; `code` is the `ModelError`'s. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string };
