import type { Conversation, PromptImage, ImageSpan, PromptPositions } from '@epd/model';

/** Messages between the main thread and a prompt thread. */

export interface PromptRequest extends Conversation {
  /** The text of the single message is the prompt. */
  readonly raw?: boolean;
  /** The answer begins at once, without the reasoning that a template may have opened. */
  readonly withoutReasoning?: boolean;
  /** Sizes in pixels of the images that the messages name by index. */
  readonly images: readonly PromptImage[];
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
      readonly opensReasoning: boolean;
    }
  /** The messages are no valid prompt for this model; `code` is the `ModelError`'s. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string };
