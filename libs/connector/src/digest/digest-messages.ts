/** Part of a file that has arrived, in memory that both threads see. Parts of one `id` come in order. */
export interface DigestPart {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** No more will come: answer. */
  readonly isLast: boolean;
}

export interface DigestAnswer {
  readonly id: number;
  readonly sha256: string;
}
