import { loadHubTokenizer, type HubTokenizer } from './hub-tokenizer.ts';
import type { TokenizerFile } from '../files/configs.ts';
import { eosTokenIds, rowTokenId, tokenText } from './special-tokens.ts';
import type { ModelFolder } from '../folder/model-folder.ts';

type AddedToken = TokenizerFile['added_tokens'][number];

/** A stretch of a prompt: either one control token or plain text. */
export type Section = { readonly token: number } | { readonly text: string };

/**
 * A model's tokenizer. Control tokens are recognised only by `sections`, which is for text that the
 * model's own template wrote; the library's instance does not know them, so plain text that spells
 * one is spelled out in ordinary tokens.
 */
export class Tokenizer {
  readonly eosTokenIds: readonly number[];
  /** The token whose places in a prompt take the rows of images. */
  readonly imageTokenId: number;
  readonly #plain: HubTokenizer;
  readonly #control = new Map<string, AddedToken>();
  readonly #controlById = new Map<number, string>();
  readonly #pattern: RegExp;
  readonly #bos: number | null;

  constructor(folder: ModelFolder) {
    this.eosTokenIds = eosTokenIds(folder);
    this.imageTokenId = rowTokenId(folder);
    for (const token of folder.tokenizer.added_tokens.filter((added) => added.special)) {
      this.#control.set(token.content, token);
      this.#controlById.set(token.id, token.content);
    }
    this.#pattern = anyOf(this.controlTexts);
    this.#plain = loadHubTokenizer(withoutControl(folder.tokenizer), folder.tokenizerConfig);
    const bos = folder.model.beginsWithBos ? tokenText(folder.tokenizerConfig.bos_token) : null;
    this.#bos = this.#leadingToken(bos);
  }

  /** The texts that stand for control tokens. */
  get controlTexts(): readonly string[] {
    return [...this.#control.keys()];
  }

  /** The token with which every prompt of this model begins, or null. */
  get bosTokenId(): number | null {
    return this.#bos;
  }

  /** The id of a control token, or null when its text is none. */
  controlId(text: string): number | null {
    return this.#control.get(text)?.id ?? null;
  }

  /** Ids of text from an outsider: control tokens are not recognised in it. */
  encode(text: string): number[] {
    return text === '' ? [] : this.#plain.encode(text, { add_special_tokens: false }).ids;
  }

  /** Cuts trusted text at its control tokens, which take the blanks beside them where they say so. */
  sections(text: string): Section[] {
    const parts = text.split(this.#pattern);
    for (const [index, part] of parts.entries()) {
      const token = index % 2 === 1 ? this.#control.get(part) : undefined;
      if (token?.lstrip === true) parts[index - 1] = parts[index - 1]?.trimEnd() ?? '';
      if (token?.rstrip === true) parts[index + 1] = parts[index + 1]?.trimStart() ?? '';
    }
    return parts.filter((part) => part !== '').map((part) => this.#section(part));
  }

  /** The text of tokens. A part of a character at either end comes out as U+FFFD. */
  decode(ids: readonly number[], options: { readonly skipSpecialTokens?: boolean } = {}): string {
    let text = '';
    let run: number[] = [];
    for (const id of ids) {
      const control = this.#controlById.get(id);
      if (control === undefined) {
        run.push(id);
        continue;
      }
      text += this.#decodePlain(run) + (options.skipSpecialTokens === true ? '' : control);
      run = [];
    }
    return text + this.#decodePlain(run);
  }

  /** What one token stands for, as a reader would see it. */
  tokenText(id: number): string {
    return this.decode([id]);
  }

  isSpecial(id: number): boolean {
    return this.#controlById.has(id);
  }

  #section(part: string): Section {
    const token = this.#control.get(part);
    return token === undefined ? { text: part } : { token: token.id };
  }

  #decodePlain(ids: number[]): string {
    return ids.length === 0 ? '' : this.#plain.decode(ids);
  }

  /** Whether prompts begin with the token, by the post-processor. */
  #leadingToken(bos: string | null): number | null {
    if (bos === null) return null;
    const [first] = this.#plain.encode('', { add_special_tokens: true }).tokens;
    return first === bos ? (this.#control.get(bos)?.id ?? null) : null;
  }
}

function withoutControl(file: TokenizerFile): TokenizerFile {
  return { ...file, added_tokens: file.added_tokens.filter((token) => !token.special) };
}

/** Splitting by it leaves the matches at odd indexes. Longer texts win over those that begin them. */
function anyOf(texts: readonly string[]): RegExp {
  if (texts.length === 0) return /(?!)/;
  const longestFirst = texts.toSorted((a, b) => b.length - a.length);
  return new RegExp(`(${longestFirst.map((text) => RegExp.escape(text)).join('|')})`);
}
