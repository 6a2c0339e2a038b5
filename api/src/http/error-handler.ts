import { StoreUnavailableError } from '@epd/connector';
import { isRedisOutage } from '@epd/service';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, type ApiErrorCode, errorBody } from './errors.ts';
import { preview } from './preview.ts';
import { describeViolation } from './validation.ts';

/** Fastify's errors as the API's codes. */
const FRAMEWORK_CODES: Readonly<Record<string, ApiErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_REQ_FILE_TOO_LARGE: 'body_too_large',
  FST_PARTS_LIMIT: 'invalid_value',
  FST_FILES_LIMIT: 'invalid_value',
  FST_FIELDS_LIMIT: 'invalid_value',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
};

/** Maps every error to one of the table's, in OpenAI's JSON shape. */
export function installErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    send(reply, toApiError(error, request));
  });
  // The request guard has answered before; what is left are routes that give a request up.
  app.setNotFoundHandler((_request, reply) => {
    send(reply, new ApiError('route_not_found', 'No such route'));
  });
}

/** A path that cannot be decoded never reaches a route or the handler above. */
export function answerFrameworkError(error: FastifyError, _request: unknown, reply: unknown): void {
  // Fastify's type for this hook has no schema to tell what may be sent.
  send(reply as FastifyReply, new ApiError('route_not_found', error.message, { cause: error }));
}

function toApiError(error: FastifyError, request: FastifyRequest): ApiError {
  if (error instanceof ApiError) return error;
  if (error.validation !== undefined) {
    return describeViolation(error.validation, error.validationContext ?? 'body');
  }
  const known = FRAMEWORK_CODES[error.code];
  if (known === 'unsupported_media_type') return unsupportedMediaType(request, error);
  if (known !== undefined) return new ApiError(known, error.message, { cause: error });
  if (error instanceof SyntaxError || (error.statusCode ?? 500) < 500) {
    return new ApiError('invalid_json', `The body cannot be read: ${error.message}`, {
      cause: error,
    });
  }
  if (isOutage(error)) {
    request.log.warn({ err: error, request: request.id }, 'a dependency is unavailable');
    const what = error instanceof StoreUnavailableError ? 'The object store' : 'Redis';
    return new ApiError('unavailable', `${what} is unavailable; try again`, {
      cause: error,
      retryAfterS: 1,
    });
  }
  request.log.error({ err: error, request: request.id }, 'unexpected error');
  return internalError(error);
}

function unsupportedMediaType({ headers, routeOptions }: FastifyRequest, cause: Error): ApiError {
  const { consumes = ['application/json'] } = routeOptions.schema ?? {};
  const type = preview(headers['content-type']);
  const message = `Content-Type: expected ${consumes.join(' or ')}, got ${type}`;
  return new ApiError('unsupported_media_type', message, { cause });
}

/** The response for a defect; the log has the details. */
export const internalError = (cause: unknown): ApiError =>
  new ApiError('internal_error', 'Internal server error', { cause });

/** A dependency of the API is unavailable, or refuses writes. */
export const isOutage = (error: unknown): boolean =>
  error instanceof StoreUnavailableError || isRedisOutage(error);

const codes = new WeakMap<FastifyReply, string>();

/** The code of the error that a request was answered with, as its body says; null: it was no error. */
export const answeredCode = (reply: FastifyReply): string | null => codes.get(reply) ?? null;

/** A retry would get the same response. */
const isFinal = ({ statusCode, code }: ApiError): boolean =>
  statusCode < 500 || code === 'job_failed' || code === 'job_expired';

function send(reply: FastifyReply, error: ApiError): void {
  codes.set(reply, error.code);
  if (error.retryAfterS !== null) void reply.header('retry-after', String(error.retryAfterS));
  // OpenAI's clients retry responses of 408, 409, 429 or 5xx, unless they are told otherwise.
  else if (isFinal(error)) void reply.header('x-should-retry', 'false');
  // Fastify would end the connection under a caller that is still sending, which then never reads the answer. The
  // rest is read and dropped; the time that a request may take bounds it.
  void reply
    .removeHeader('connection')
    .code(error.statusCode)
    .send(errorBody(error.code, error.statusCode, error.message, error.param));
}
