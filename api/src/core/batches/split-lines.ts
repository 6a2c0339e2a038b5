/** A line of a text file: where it lies, and its bytes without the line break. */
export interface SplitLine {
  readonly start: number;
  readonly bytes: number;
  /** Null: it is longer than allowed, and was not kept. */
  readonly content: Buffer | null;
}

const LINE_BREAK = 0x0a;

/** Splits bytes that come in pieces into lines, holding one piece and one line at a time. Blank lines are left out. */
export async function* splitLines(
  pieces: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<SplitLine> {
  let line = new OpenLine(0, maxLineBytes);
  for await (const piece of pieces) {
    let from = 0;
    for (;;) {
      const end = piece.indexOf(LINE_BREAK, from);
      line.add(piece.subarray(from, end === -1 ? piece.length : end));
      if (end === -1) break;
      if (!line.isBlank) yield line.close();
      line = new OpenLine(line.end + 1, maxLineBytes);
      from = end + 1;
    }
  }
  if (!line.isBlank) yield line.close();
}

/** A line that is not complete yet. Keeps at most the allowed bytes. */
class OpenLine {
  readonly #start: number;
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(start: number, maxBytes: number) {
    this.#start = start;
    this.#maxBytes = maxBytes;
  }

  get end(): number {
    return this.#start + this.#bytes;
  }

  get isBlank(): boolean {
    if (this.#bytes > this.#maxBytes) return false;
    return this.#parts.every((part) => part.toString().trim() === '');
  }

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) this.#parts = [];
    else if (part.length > 0) this.#parts.push(Buffer.from(part)); // the piece is somebody else's memory
  }

  close(): SplitLine {
    const tooLong = this.#bytes > this.#maxBytes;
    const content = tooLong ? null : Buffer.concat(this.#parts, this.#bytes);
    return { start: this.#start, bytes: this.#bytes, content };
  }
}
