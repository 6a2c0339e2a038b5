import { readChatTemplate, type ChatTemplate, type PromptMessage } from './chat-template.ts';
import { PromptError } from './errors.ts';
import { imageLayout, type ImageGeometry, type ImageSize } from './geometry.ts';
import { guardText } from './guarded-text.ts';
import { imageMarkup } from './image-markup.ts';
import type { ModelFolder } from './model-folder.ts';
import { readGeometry } from './read-geometry.ts';
import { IMAGE_TOKEN } from './special-tokens.ts';
import { Tokenizer, type Section } from './tokenizer.ts';

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
}

/** Makes prompts from messages: the model's template, its tokenizer, its images' places. */
export class PromptBuilder {
  readonly tokenizer: Tokenizer;
  readonly geometry: ImageGeometry;
  readonly #template: ChatTemplate;

  constructor(folder: ModelFolder) {
    this.tokenizer = new Tokenizer(folder);
    this.geometry = readGeometry(folder, this.tokenizer);
    this.#template = readChatTemplate(folder);
  }

  /**
   * `images` are sizes in pixels, as shown (EXIF orientation applied), by the messages' indexes.
   * Throws `PromptError` when a message names an image that is not there, or the template refuses.
   */
  build(messages: readonly PromptMessage[], images: readonly ImageSize[]): Prompt {
    const order = imagesInOrder(messages, images.length);
    const guard = guardText(messages, this.tokenizer.controlTexts);
    const sections = this.tokenizer.sections(this.#template(guard.messages));
    const writer = new PromptWriter(this.tokenizer);
    for (const section of sections) {
      if ('token' in section && section.token === this.tokenizer.imageTokenId) {
        this.#writeImage(writer, order.shift(), images);
      } else {
        writer.write(section, guard.unmark);
      }
    }
    if (order.length > 0) throw lost(order.length);
    return writer.prompt();
  }

  #writeImage(writer: PromptWriter, image: number | undefined, images: readonly ImageSize[]): void {
    const size = image === undefined ? undefined : images[image];
    if (image === undefined || size === undefined) throw lost(-1);
    const layout = imageLayout(this.geometry, size.width, size.height);
    const offset = writer.length;
    for (const section of this.tokenizer.sections(imageMarkup(layout))) writer.write(section);
    writer.span({ image, offset, length: writer.length - offset, rows: layout.tokens });
  }
}

/** Tokens and spans as they grow. */
class PromptWriter {
  readonly #tokenizer: Tokenizer;
  readonly #tokens: number[] = [];
  readonly #spans: ImageSpan[] = [];

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  get length(): number {
    return this.#tokens.length;
  }

  write(section: Section, unmark: (text: string) => string = (text) => text): void {
    const bos = this.#tokenizer.bosTokenId;
    const ids = 'token' in section ? [section.token] : this.#tokenizer.encode(unmark(section.text));
    // Some templates write the token that the tokenizer would add; it stands there once.
    if (this.length === 0 && bos !== null && ids[0] !== bos) this.#tokens.push(bos);
    for (const id of ids) this.#tokens.push(id);
  }

  span(span: ImageSpan): void {
    this.#spans.push(span);
  }

  prompt(): Prompt {
    return { tokens: this.#tokens, spans: this.#spans };
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

/** Templates of models that take images only from users drop those of other roles, for example. */
function lost(missing: number): PromptError {
  const what =
    missing > 0 ? `leaves out ${missing} of the images` : 'shows more images than it was given';
  return new PromptError('image_lost', `The model's chat template ${what} (${IMAGE_TOKEN})`);
}
