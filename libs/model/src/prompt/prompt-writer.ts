import type { MarkupPart } from '../family/family.ts';
import type { ImageSpan, Prompt } from './prompt-builder.ts';
import { gridPositions, type Grid, type GridBlock } from '../positions.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';

/**
 * A prompt as it grows. Text waits until a control token ends it, so that it is tokenized in one piece
 * even where it comes from two hands: the template's and an image's markup.
 */
export class PromptWriter {
  readonly #tokenizer: Tokenizer;
  readonly #tokens: number[] = [];
  readonly #spans: ImageSpan[] = [];
  readonly #blocks: GridBlock[] = [];
  #text = '';

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  text(text: string): void {
    this.#text += text;
  }

  token(id: number): void {
    this.#flush();
    this.#push([id]);
  }

  /** The image's span reaches from its first control token to its last. */
  image(image: number, markup: readonly MarkupPart[], grid: Grid | null): void {
    let offset: number | null = null;
    let [end, rows] = [0, 0];
    for (const piece of markup.flatMap((part) => this.#pieces(part))) {
      if ('text' in piece) {
        this.text(piece.text);
        continue;
      }
      this.#flush();
      offset ??= this.#tokens.length;
      if (grid !== null && piece.rows > 0) this.#blocks.push({ at: this.#tokens.length, grid });
      this.#push(piece.tokens);
      end = this.#tokens.length;
      rows += piece.rows;
    }
    const at = offset ?? this.#tokens.length;
    this.#spans.push({ image, offset: at, length: end - at, rows });
  }

  /** `inGrid`: positions follow the cells of images. */
  prompt(inGrid: boolean): Omit<Prompt, 'opensReasoning'> {
    this.#flush();
    const { length } = this.#tokens;
    const positions = inGrid ? gridPositions(length, this.#blocks) : null;
    return { tokens: this.#tokens, spans: this.#spans, positions };
  }

  #pieces(part: MarkupPart): ({ text: string } | { tokens: number[]; rows: number })[] {
    if ('rows' in part) {
      const tokens = Array.from({ length: part.rows }, () => this.#tokenizer.imageTokenId);
      return [{ tokens, rows: part.rows }];
    }
    return this.#tokenizer
      .sections(part.text)
      .map((section) => ('token' in section ? { tokens: [section.token], rows: 0 } : section));
  }

  #flush(): void {
    if (this.#text === '') return;
    const ids = this.#tokenizer.encode(this.#text);
    this.#text = '';
    this.#push(ids);
  }

  #push(ids: readonly number[]): void {
    const bos = this.#tokenizer.bosTokenId;
    // Some templates write the token that the tokenizer would add; it stands there once.
    if (this.#tokens.length === 0 && bos !== null && ids[0] !== bos) this.#tokens.push(bos);
    for (const id of ids) this.#tokens.push(id);
  }
}
