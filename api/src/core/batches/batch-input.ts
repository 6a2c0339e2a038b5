import { jsonShape, type ShapeLimits } from '../../http/json-shape.ts';
import type { BatchEndpoint, BatchProblem } from './batch-record.ts';
import type { SplitLine } from './split-lines.ts';

/** One request of a batch. Its body is checked when it is submitted as a job. */
export interface BatchLine {
  readonly customId: string;
  readonly body: unknown;
}

/** What a line of a batch may be, as a request's body. */
export interface LineLimits extends ShapeLimits {
  readonly maxLineBytes: number;
}

/** As OpenAI's: what a day can take. */
const MAX_BATCH_LINES = 50_000;
const MAX_PROBLEMS = 100;
const MAX_ID_CHARACTERS = 512;

/** Looks through the lines of a batch, all to its endpoint, each with an id of its own. None: it can be worked at. */
export async function findProblems(
  lines: AsyncIterable<SplitLine>,
  endpoint: BatchEndpoint,
  limits: LineLimits,
): Promise<BatchProblem[]> {
  const problems: BatchProblem[] = [];
  const seen = new Set<string>();
  let count = 0;
  for await (const line of lines) {
    count += 1;
    if (count > MAX_BATCH_LINES) {
      return [problem('too_many_lines', `Expected at most ${MAX_BATCH_LINES} requests, got more`)];
    }
    const found = readLine(line.content, endpoint, limits);
    const wrong = typeof found === 'string' ? found : repeated(found.customId, seen);
    if (wrong !== null) problems.push(problem('invalid_line', wrong, count));
    if (problems.length === MAX_PROBLEMS) break;
  }
  if (count === 0) return [problem('empty_file', 'The input file holds no requests')];
  return problems;
}

/** The line, or its error. `content` null: it is too long. */
export function readLine(
  content: Uint8Array | null,
  endpoint: BatchEndpoint,
  limits: LineLimits,
): BatchLine | string {
  if (content === null) return `expected at most ${limits.maxLineBytes} bytes, got more`;
  const { elements, depth } = jsonShape(content, limits);
  if (depth > limits.maxDepth) return `expected at most ${limits.maxDepth} levels, got more`;
  if (elements > limits.maxElements) return `expected at most ${limits.maxElements} values`;
  const value = parse(content);
  if (typeof value !== 'object' || value === null) return 'expected a JSON object';
  const { custom_id: customId, method, url, body } = value as Record<string, unknown>;
  if (typeof customId !== 'string' || customId === '' || customId.length > MAX_ID_CHARACTERS) {
    return `custom_id: expected 1 to ${MAX_ID_CHARACTERS} characters`;
  }
  if (method !== undefined && method !== 'POST') return 'method: expected "POST"';
  if (url !== endpoint) return `url: expected ${JSON.stringify(endpoint)}`;
  return { customId, body };
}

function repeated(customId: string, seen: Set<string>): string | null {
  if (seen.has(customId)) return `custom_id: ${JSON.stringify(customId)} came before`;
  seen.add(customId);
  return null;
}

function parse(content: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(content.buffer, content.byteOffset, content.length).toString());
  } catch {
    return null;
  }
}

const problem = (code: string, message: string, line: number | null = null): BatchProblem => ({
  code,
  message,
  line,
  param: null,
});
