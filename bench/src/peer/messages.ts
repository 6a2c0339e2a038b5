/** What the harness and the peer's process say to each other, over Node's channel. */
export type ToPeer = {
  readonly id: number;
  readonly parts: readonly ({ readonly text: string } | { readonly imagePath: string })[];
  readonly maxTokens: number;
  readonly ignoreEos: boolean;
};

export type FromPeer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'token'; readonly id: number; readonly token: number }
  | { readonly kind: 'end'; readonly id: number; readonly error?: string };

/** Which model the peer's process loads. */
export const PEER_ENV = {
  modelDir: 'BENCH_PEER_MODEL_DIR',
  threads: 'BENCH_PEER_THREADS',
} as const;
