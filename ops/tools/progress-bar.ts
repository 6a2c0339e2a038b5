/** A terminal, or a file that a terminal's output was sent to. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

const CELLS = 24;
/** Least time between two drawings, in milliseconds: on a terminal, and in a log where each stays. */
const DRAW_MS = { terminal: 100, log: 5_000 };

/**
 * How far a download is: one line that is drawn over itself on a terminal, a line now and then elsewhere.
 * Shows nothing for what ends at once.
 */
export class ProgressBar {
  readonly #screen: Screen;
  readonly #name: string;
  readonly #startedMs = performance.now();
  #drawnMs = performance.now();
  #drawn = false;

  constructor(screen: Screen, name: string) {
    this.#screen = screen;
    this.#name = name;
  }

  /** Both in bytes. */
  show(received: number, total: number): void {
    const terminal = this.#screen.isTTY === true;
    const now = performance.now();
    if (now - this.#drawnMs < (terminal ? DRAW_MS.terminal : DRAW_MS.log)) return;
    this.#drawnMs = now;
    this.#drawn = true;
    const line = progressLine(this.#name, received, total, now - this.#startedMs);
    this.#screen.write(terminal ? `\r\u001B[2K${line}` : `${line}\n`);
  }

  end(): void {
    if (this.#drawn && this.#screen.isTTY === true) this.#screen.write('\r\u001B[2K');
  }
}

/** `name  ████░░░░  41 %  0.33 of 0.81 GB, 12 MB/s`. */
export function progressLine(name: string, received: number, total: number, ms: number): string {
  const share = total === 0 ? 1 : received / total;
  const full = Math.round(share * CELLS);
  const bar = '█'.repeat(full) + '░'.repeat(CELLS - full);
  const rate = (received / 1e6 / Math.max(ms / 1000, 0.001)).toFixed(1);
  const size = `${gigabytes(received)} of ${gigabytes(total)} GB, ${rate} MB/s`;
  return `${name}  ${bar}  ${Math.floor(share * 100)} %  ${size}`;
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(2);
