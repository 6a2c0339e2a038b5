import { createHash } from 'node:crypto';
import { type ApiError, errorBody } from '../../http/errors.ts';
import type { BatchLine } from './batch-input.ts';
import type { LineResult } from './batch-record.ts';

/** For a line that was answered: `body` as its endpoint would have sent it. */
export const answeredLine = (line: BatchLine, jobId: string, body: unknown): LineResult => ({
  ok: true,
  line: lineText(line, jobId, { status_code: 200, body }, null),
});

/** `jobId`: of the job that failed, or that the line would have become. */
export function failedLine(
  line: BatchLine,
  jobId: string,
  { code, statusCode, message, param }: ApiError,
): LineResult {
  const body = errorBody(code, statusCode, message, param);
  return { ok: false, line: lineText(line, jobId, { status_code: statusCode, body }, null) };
}

/** For a line that had not ended when its batch did. */
export const unfinishedLine = (line: BatchLine, code: string, message: string): string =>
  lineText(line, '', null, { code, message });

function lineText(
  { customId }: BatchLine,
  jobId: string,
  response: { status_code: number; body: unknown } | null,
  error: { code: string; message: string } | null,
): string {
  const digest = createHash('sha256').update(`${customId} ${jobId}`).digest('hex').slice(0, 24);
  return JSON.stringify({
    id: `batch_req_${digest}`,
    custom_id: customId,
    response: response === null ? null : { request_id: jobId, ...response },
    error,
  });
}
