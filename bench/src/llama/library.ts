/** What is used of node-llama-cpp, which is not there when types are checked. */
export interface Library {
  getLlama(options: {
    readonly gpu: false;
    readonly build: 'never';
    readonly skipDownload: true;
    readonly logLevel: 'error';
    readonly maxThreads: 0;
  }): Promise<{ loadModel(options: { readonly modelPath: string }): Promise<Model> }>;
}

interface Model {
  createContext(options: {
    readonly contextSize: number;
    readonly sequences: number;
    readonly batchSize: number;
    readonly threads: number;
    readonly flashAttention: boolean;
  }): Promise<Context>;
}

interface Context {
  getSequence(): Sequence;
}

export interface Sequence {
  readonly nextTokenIndex: number;
  evaluate(
    tokens: readonly number[],
    options: { readonly temperature: 0; readonly yieldEogToken: true },
  ): AsyncGenerator<number>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  eraseContextTokenRanges(
    ranges: readonly { readonly start: number; readonly end: number }[],
  ): Promise<void>;
}
