/** Tokens per second of one decoder at several points, in the order asked for. */
export interface DecoderRates {
  /** By batch: of the whole batch while all of it decodes. */
  readonly decode: readonly number[];
  /** By length of the prompt. */
  readonly prefill: readonly number[];
  /** The greedy answer to the first prompt. */
  readonly answer: readonly number[];
}
