/** The cells of an image in a prompt: one row of its embedding each. */
export interface Grid {
  readonly rows: number;
  readonly cols: number;
}

/** A run of tokens that are the cells of an image, row by row. */
export interface GridBlock {
  readonly at: number;
  readonly grid: Grid;
}

/** Positions in three dimensions (frame, row, column), where a token's place does not tell them. */
export interface PromptPositions {
  /** `[3, length]`, row-major. */
  readonly rows: Int32Array;
  /** What is added to the place of a token behind the prompt to give its position, in all three. */
  readonly delta: number;
}

/**
 * Text counts on, with one number for all three; an image's cells count from where it begins, by row
 * and column, and what follows continues behind the longer side.
 */
export function gridPositions(length: number, blocks: readonly GridBlock[]): PromptPositions {
  const rows = new Int32Array(3 * length);
  const [frame, row, column] = [0, 1, 2].map((axis) =>
    rows.subarray(axis * length, (axis + 1) * length),
  ) as [Int32Array, Int32Array, Int32Array];
  let next = 0;
  let at = 0;
  const text = (end: number): void => {
    for (; at < end; at += 1, next += 1) frame[at] = row[at] = column[at] = next;
  };
  for (const block of blocks) {
    text(block.at);
    const { rows: high, cols: wide } = block.grid;
    for (let cell = 0; cell < high * wide; cell += 1, at += 1) {
      frame[at] = next;
      row[at] = next + Math.floor(cell / wide);
      column[at] = next + (cell % wide);
    }
    next += Math.max(high, wide);
  }
  text(length);
  return { rows, delta: next - length };
}
