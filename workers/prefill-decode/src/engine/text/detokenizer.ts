/** The part of a tokenizer that turning tokens into text needs. */
export interface TokenDecoder {
  decode(ids: readonly number[], options: { readonly skipSpecialTokens: boolean }): string;
}

/** How decoders show an incomplete character or invalid bytes. */
const UNFINISHED = /\uFFFD+$/;
/** Text that has no complete character at its end after this many tokens will never have one. */
const WINDOW_MAX = 32;

/**
 * Incremental detokenizer. Some tokens are parts of a character, and some decode differently after
 * others (a leading blank is dropped at the start of a text). So each piece is what a token adds to
 * the text of a few tokens before it. An incomplete character is held back until its rest arrives.
 */
export class Detokenizer {
  readonly #decoder: TokenDecoder;
  readonly #options: { readonly skipSpecialTokens: boolean };
  /** Tokens that are decoded together: the context, then those since the last whole character. */
  #window: number[] = [];
  #context = 0;
  /** The part of the window's text that was released. */
  #shown = '';

  constructor(decoder: TokenDecoder, options = { skipSpecialTokens: true }) {
    this.#decoder = decoder;
    this.#options = options;
  }

  push(id: number): string {
    this.#window.push(id);
    const text = this.#decode(this.#window);
    if (UNFINISHED.test(text) && this.#window.length < WINDOW_MAX) {
      return this.#show(text.replace(UNFINISHED, ''));
    }
    return this.#advance(text);
  }

  /** The text that was held back, at the end of the answer. */
  flush(): string {
    return this.#show(this.#decode(this.#window));
  }

  /** The text ends on a complete character: the tokens since the last one become the context. */
  #advance(text: string): string {
    const piece = this.#show(text);
    this.#window = this.#window.slice(this.#context);
    this.#context = this.#window.length;
    this.#shown = this.#decode(this.#window);
    return piece;
  }

  #show(text: string): string {
    const piece = text.slice(this.#shown.length);
    if (piece !== '') this.#shown = text;
    return piece;
  }

  #decode(ids: readonly number[]): string {
    return this.#decoder.decode(ids, this.#options);
  }
}
