import { ApiError } from '../../http/errors.ts';

/** An error that names the field as its caller wrote it. What is no `ApiError` is left as it is. */
export function inCallersWords(error: unknown, fieldName?: (field: string) => string): unknown {
  if (fieldName === undefined || !(error instanceof ApiError) || error.param === null) return error;
  const param = fieldName(error.param);
  if (param === error.param) return error;
  const { code, message, retryAfterS } = error;
  const rest = message.startsWith(error.param) ? message.slice(error.param.length) : `: ${message}`;
  return new ApiError(code, param + rest, {
    param,
    cause: error,
    ...(retryAfterS === null ? {} : { retryAfterS }),
  });
}
