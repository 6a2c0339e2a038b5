import type { Tokenizer } from '@epd/model';

/** What the engine knows about the model besides its graphs. */
export interface EngineModel {
  readonly contextLength: number;
  readonly imageTokenId: number;
  readonly eosTokenIds: readonly number[];
  readonly tokenizer: Tokenizer;
}
