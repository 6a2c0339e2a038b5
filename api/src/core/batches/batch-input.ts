import type { BatchEndpoint, BatchProblem } from './batch-record.ts';

/** One request of a batch. Its body is checked when its turn comes. */
export interface BatchLine {
  readonly customId: string;
  readonly body: unknown;
}

export interface BatchInput {
  readonly lines: readonly BatchLine[];
  readonly problems: readonly BatchProblem[];
}

/** As OpenAI's: what a day can take, and what fits into memory. */
const MAX_BATCH_LINES = 50_000;
const MAX_PROBLEMS = 100;
const MAX_ID_CHARACTERS = 512;

/** Reads JSONL: a request a line, all to the batch's endpoint, each with an id of its own. */
export function readBatchInput(bytes: Uint8Array, endpoint: BatchEndpoint): BatchInput {
  const texts = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((text) => text.trim() !== '');
  if (texts.length === 0) return refused('empty_file', 'The input file holds no requests');
  if (texts.length > MAX_BATCH_LINES) {
    return refused(
      'too_many_lines',
      `Expected at most ${MAX_BATCH_LINES} requests, got ${texts.length}`,
    );
  }
  const problems: BatchProblem[] = [];
  const seen = new Set<string>();
  const lines = texts.map((text, index) => {
    const line = readLine(text, endpoint, seen);
    if (typeof line !== 'string') return line;
    if (problems.length < MAX_PROBLEMS) problems.push(problem('invalid_line', line, index + 1));
    return { customId: '', body: null };
  });
  return { lines, problems };
}

/** The line, or what is wrong with it. */
function readLine(text: string, endpoint: BatchEndpoint, seen: Set<string>): BatchLine | string {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return 'expected a JSON object';
  const { custom_id: customId, method, url, body } = value as Record<string, unknown>;
  if (typeof customId !== 'string' || customId === '' || customId.length > MAX_ID_CHARACTERS) {
    return `custom_id: expected 1 to ${MAX_ID_CHARACTERS} characters`;
  }
  if (seen.has(customId)) return `custom_id: ${JSON.stringify(customId)} came before`;
  seen.add(customId);
  if (method !== undefined && method !== 'POST') return 'method: expected "POST"';
  if (url !== endpoint) return `url: expected ${JSON.stringify(endpoint)}`;
  return { customId, body };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const refused = (code: string, message: string): BatchInput => ({
  lines: [],
  problems: [problem(code, message, null)],
});

const problem = (code: string, message: string, line: number | null): BatchProblem => ({
  code,
  message,
  line,
  param: null,
});
