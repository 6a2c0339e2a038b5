export interface DecodeSetting {
  readonly modelDir: string;
  readonly cacheFolder: string;
  readonly threads: number;
  /** Tokens of each prompt. */
  readonly context: number;
  readonly batch: number;
  /** Tokens that each sequence generates. */
  readonly tokens: number;
}
