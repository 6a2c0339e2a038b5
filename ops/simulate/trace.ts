/** One request of a trace. Times in milliseconds from the start of the trace. */
export interface TraceRequest {
  readonly atMs: number;
  /** One key per image; equal keys are one picture, encoded once. */
  readonly images: readonly string[];
  /** Visual tokens of each image. */
  readonly imageTokens: number;
  /** Text tokens of the prompt. */
  readonly promptTokens: number;
  readonly outputTokens: number;
}

const HEADER = 'at_ms,images,image_tokens,prompt_tokens,output_tokens';

/**
 * A trace from CSV: the header `at_ms,images,image_tokens,prompt_tokens,output_tokens`, then a line
 * for each request; `images` holds keys with spaces between, or nothing. Sorted by time on return.
 * Throws an Error that names the line when one cannot be read.
 */
export function parseTrace(csv: string): TraceRequest[] {
  const [header, ...lines] = csv.split(/\r?\n/);
  if (header?.trim() !== HEADER) throw new Error(`A trace begins with the line ${HEADER}`);
  const requests = lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [parseLine(line, index + 2)],
  );
  return requests.toSorted((a, b) => a.atMs - b.atMs);
}

export function formatTrace(requests: readonly TraceRequest[]): string {
  const lines = requests.map((request) =>
    [
      Math.round(request.atMs),
      request.images.join(' '),
      request.imageTokens,
      request.promptTokens,
      request.outputTokens,
    ].join(','),
  );
  return `${[HEADER, ...lines].join('\n')}\n`;
}

function parseLine(line: string, number: number): TraceRequest {
  const fields = line.split(',');
  const [atMs, imageTokens, promptTokens, outputTokens] = [0, 2, 3, 4].map((column) =>
    Number(fields[column] || Number.NaN),
  ) as [number, number, number, number];
  const valid =
    fields.length === 5 &&
    [atMs, imageTokens, promptTokens].every((value) => value >= 0) &&
    outputTokens >= 1;
  if (!valid) throw new Error(`Line ${number} of the trace is not ${HEADER}: ${line}`);
  const images = (fields[1] ?? '').split(' ').filter(Boolean);
  return { atMs, images, imageTokens, promptTokens, outputTokens };
}
