/** OpenAI's names for kinds of errors; what its client libraries switch on. */
type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'server_error';

/**
 * Every error code of the API, and its HTTP status. A client's mistake is always 4xx; of those only
 * 429 should be retried. 409 is avoided for errors that a retry cannot fix, because OpenAI's
 * clients retry a 409.
 */
export const API_ERRORS = {
  invalid_json: 400,
  invalid_value: 400,
  unsupported_parameter: 400,
  invalid_header: 400,
  model_required: 400,
  context_length_exceeded: 400,
  too_many_images: 400,
  invalid_image_url: 400,
  invalid_image_data: 400,
  invalid_image: 400,
  unsupported_image_type: 400,
  animated_image: 400,
  image_too_many_pixels: 400,
  image_shape: 400,
  image_url_not_allowed: 400,
  image_fetch_failed: 400,
  image_gone: 400,
  image_alias_unknown: 400,
  image_alias_conflict: 400,
  invalid_file: 400,
  unsupported_input: 400,
  webhook_not_allowed: 400,
  missing_api_key: 401,
  invalid_api_key: 401,
  admin_only: 403,
  host_not_allowed: 403,
  origin_not_allowed: 403,
  quota_exceeded: 403,
  route_not_found: 404,
  model_not_found: 404,
  job_not_found: 404,
  response_not_found: 404,
  item_not_found: 404,
  key_not_found: 404,
  file_not_found: 404,
  image_not_found: 404,
  images_off: 404,
  batch_not_found: 404,
  upload_not_found: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  image_too_large: 413,
  unsupported_media_type: 415,
  idempotency_conflict: 422,
  rate_limited: 429,
  too_much_waiting: 429,
  too_many_open_requests: 429,
  too_many_uploads: 429,
  too_many_batches: 429,
  job_cancelled: 400,
  internal_error: 500,
  job_failed: 500,
  unavailable: 503,
  busy: 503,
  job_expired: 504,
} as const satisfies Record<string, number>;

export type ApiErrorCode = keyof typeof API_ERRORS;

interface ApiErrorOptions extends ErrorOptions {
  /** Path of the input concerned, as in `messages[0].content[1].image_url.url`. */
  readonly param?: string;
  readonly retryAfterS?: number;
}

/** What a route throws to answer with an error. Anything else that is thrown becomes a 500 or 503. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;
  readonly param: string | null;
  readonly retryAfterS: number | null;

  constructor(code: ApiErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.param = options.param ?? null;
    this.retryAfterS = options.retryAfterS ?? null;
  }

  get statusCode(): number {
    return API_ERRORS[this.code];
  }
}

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: ErrorType;
    readonly param: string | null;
    readonly code: string;
  };
}

export function errorBody(
  code: string,
  status: number,
  message: string,
  param: string | null,
): ErrorBody {
  return { error: { message, type: errorType(status), param, code } };
}

function errorType(status: number): ErrorType {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
