/** The part of a tokenizer that turning tokens into text needs. */
export interface TokenDecoder {
  decode(ids: readonly number[], options: { readonly skipSpecialTokens: boolean }): string;
}

/** An unfinished character, or bytes that are none, as decoders show them. */
const UNFINISHED = /\uFFFD+$/;
/** Text that has not ended on a whole character for so many tokens is not going to. */
const WINDOW_MAX = 32;

/**
 * Text of tokens as they come. Some tokens are parts of a character, and some decode otherwise behind
 * others (a leading blank is dropped at the start of a text): so each piece is what a token adds to
 * the text of a few tokens before it. What may be the beginning of a character waits for its rest.
 */
export class Detokenizer {
  readonly #decoder: TokenDecoder;
  readonly #options: { readonly skipSpecialTokens: boolean };
  /** Tokens that are decoded together: the context, then those since the last whole character. */
  #window: number[] = [];
  #context = 0;
  /** What was let out of the window's text. */
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

  /** What still waits, now that nothing follows. */
  flush(): string {
    return this.#show(this.#decode(this.#window));
  }

  /** The text ends on a whole character: the tokens since the last one become the context. */
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
