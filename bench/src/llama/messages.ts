import type { DecoderRates } from '../decoder/decoder-rates.ts';

/** What a process that runs llama.cpp is to measure: one model, one number of threads. */
export interface LlamaOrder {
  /** The library's entry, as an address. */
  readonly entry: string;
  readonly modelPath: string;
  readonly threads: number;
  readonly flashAttention: boolean;
  /** Tokens of each prompt that is decoded from. */
  readonly context: number;
  /** Tokens that each sequence generates. */
  readonly tokens: number;
  readonly batches: readonly number[];
  /** Lengths of prompts that are only prefilled. */
  readonly prompts: readonly number[];
}

export type FromLlama = { readonly rates: DecoderRates } | { readonly error: string };
