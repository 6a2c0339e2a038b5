import {
  readChatTemplate,
  templateText,
  type ChatTemplate,
  type Conversation,
  type PromptMessage,
} from './chat-template.ts';
import { PromptError } from '../errors.ts';
import type { ImageRules } from '../family/family.ts';
import type { ImageGeometry } from '../families/geometry.ts';
import type { PromptImage } from '../image-size.ts';
import { guardText } from './guarded-text.ts';
import { imageRules } from './image-rules.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import { outputFormat, type OutputFormat } from './output-format.ts';
import type { PromptPositions } from '../positions.ts';
import { PromptWriter } from './prompt-writer.ts';
import { Tokenizer } from '../tokens/tokenizer.ts';
import { toolsInWords } from './tool-prompt.ts';

/** Where an image lies in a prompt. Its `rows` embeddings go, in order, to the span's image tokens. */
export interface ImageSpan {
  /** Index into the request's images; one image may have several spans. */
  readonly image: number;
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
}

export interface Prompt {
  readonly tokens: readonly number[];
  /** In order of offset. */
  readonly spans: readonly ImageSpan[];
  /** Null where every token's position is its place. */
  readonly positions: PromptPositions | null;
  /** The prompt ends in the middle of the model's reasoning: its template has opened it. */
  readonly opensReasoning: boolean;
}

export interface PromptOptions {
  /** The answer is to begin at once: reasoning that the template has opened is closed again. */
  readonly withoutReasoning?: boolean;
}

/** Makes prompts from messages: the model's template, its tokenizer, its images' places. */
export class PromptBuilder {
  readonly tokenizer: Tokenizer;
  readonly #images: ImageRules<ImageGeometry>;
  readonly #placeholder: string;
  readonly #template: ChatTemplate;
  readonly #format: OutputFormat;

  constructor(folder: ModelFolder) {
    this.tokenizer = new Tokenizer(folder);
    this.#images = imageRules(folder, this.tokenizer);
    this.#placeholder = folder.model.placeholder;
    this.#template = readChatTemplate(folder);
    this.#format = outputFormat(templateText(folder));
  }

  get geometry(): ImageGeometry {
    return this.#images.geometry;
  }

  /**
   * `images` are sizes in pixels, as shown (EXIF orientation applied), by the messages' indexes.
   * Throws `PromptError` when a message names an image that is not there, or the template refuses.
   */
  build(
    conversation: Conversation,
    images: readonly PromptImage[],
    options: PromptOptions = {},
  ): Prompt {
    const { messages } = conversation;
    const order = imagesInOrder(messages, images.length);
    const guard = guardText(conversation, this.tokenizer.controlTexts);
    const { rendersTools, toolCalls } = this.#format;
    const told = rendersTools
      ? { messages: guard.messages, tools: guard.tools }
      : { messages: toolsInWords(guard.messages, guard.tools, toolCalls) };
    const rendered = this.#template({ ...told, options: conversation.options ?? {} });
    const { text, opensReasoning } = this.#reasoning(rendered, options);
    const placeholder = this.tokenizer.controlId(this.#placeholder);
    const writer = new PromptWriter(this.tokenizer);
    for (const section of this.tokenizer.sections(text)) {
      if ('text' in section) writer.text(guard.unmark(section.text));
      else if (section.token !== placeholder) writer.token(section.token);
      else this.#writeImage(writer, order.shift(), images);
    }
    if (order.length > 0) throw this.#lost(order.length);
    return { ...writer.prompt(this.#images.grid !== null), opensReasoning };
  }

  /** Some templates open the reasoning for the model. */
  #reasoning(
    rendered: string,
    { withoutReasoning = false }: PromptOptions,
  ): { text: string; opensReasoning: boolean } {
    const { reasoning } = this.#format;
    const opensReasoning = reasoning !== null && rendered.trimEnd().endsWith(reasoning.begin);
    if (!opensReasoning || !withoutReasoning) return { text: rendered, opensReasoning };
    return { text: `${rendered.trimEnd()}\n\n${reasoning.end}\n\n`, opensReasoning: false };
  }

  /** The text of messages as it is, without a template; control tokens are not recognised in it. */
  raw(messages: readonly PromptMessage[]): Prompt {
    const writer = new PromptWriter(this.tokenizer);
    for (const { content } of messages) if (typeof content === 'string') writer.text(content);
    return { ...writer.prompt(this.#images.grid !== null), opensReasoning: false };
  }

  #writeImage(
    writer: PromptWriter,
    image: number | undefined,
    images: readonly PromptImage[],
  ): void {
    const size = image === undefined ? undefined : images[image];
    if (image === undefined || size === undefined) throw this.#lost(-1);
    writer.image(image, this.#images.markup(size), this.#images.grid?.(size) ?? null);
  }

  /** Templates of models that take images only from users drop those of other roles, for example. */
  #lost(missing: number): PromptError {
    const what =
      missing > 0 ? `leaves out ${missing} of the images` : 'shows more images than it was given';
    const message = `The model's chat template ${what} (${this.#placeholder})`;
    return new PromptError('image_lost', message);
  }
}

function imagesInOrder(messages: readonly PromptMessage[], count: number): number[] {
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
  const order = parts.flatMap((part) => (part.type === 'image' ? [part.image] : []));
  const wrong = order.find((image) => !Number.isInteger(image) || image < 0 || image >= count);
  if (wrong === undefined) return order;
  const message = `A message shows image ${wrong}, but the request has ${count} images`;
  throw new PromptError('unknown_image', message);
}
