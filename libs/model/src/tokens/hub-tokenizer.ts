import { Tokenizer } from '@huggingface/tokenizers';

/** What is used of the library's tokenizer. Its own declarations do not resolve under `nodenext`. */
export interface HubTokenizer {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: number[]; tokens: string[] };
  decode(ids: number[]): string;
}

type HubTokenizerClass = new (file: object, config: object) => HubTokenizer;

/** `file` is the content of `tokenizer.json`, `config` that of `tokenizer_config.json`. */
export function loadHubTokenizer(file: object, config: object): HubTokenizer {
  const Hub = Tokenizer as unknown as HubTokenizerClass;
  return new Hub(file, config);
}
