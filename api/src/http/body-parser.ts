import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';
import { IDEMPOTENCY_HEADER } from './idempotency.ts';
import { collectBytes } from './collect-bytes.ts';
import { decodedBody } from './content-encoding.ts';
import { LargeBodies } from './large-bodies.ts';
import { jsonShape, type ShapeLimits } from './json-shape.ts';
import { whenOver } from './when-over.ts';
import type { MemoryBudget, MemoryHold } from './memory-budget.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request holds of the process's memory for bodies; released with the answer at the latest. */
    memory: MemoryHold;
    /** Digest of the body as it came; only where an Idempotency-Key asks for it. */
    bodySha256: string;
  }
}

interface BodyLimits {
  readonly maxJsonElements: number;
  readonly maxJsonDepth: number;
}

/** What a parsed value takes beside its text: a small object, or an array of one. */
const BYTES_PER_ELEMENT = 64;

/**
 * Of the length of a body, while it is parsed: text that is not ASCII takes two bytes a character in memory, and
 * what comes of it as many. Its bytes are garbage by then.
 */
export const MAX_COPIES = 3;

/**
 * Reads JSON bodies within the process's memory for bodies, and digests them where an Idempotency-Key came
 * along. What a body would grow to is known before it is parsed.
 */
export function installBodyParser(
  app: FastifyInstance,
  budget: MemoryBudget,
  limits: BodyLimits,
): void {
  const shapeLimits = { maxElements: limits.maxJsonElements, maxDepth: limits.maxJsonDepth };
  app.decorateRequest('bodySha256', '');
  const large = new LargeBodies();
  installHolds(app, budget);
  app.removeContentTypeParser('text/plain');
  const parse = app.getDefaultJsonParser('error', 'error');
  const toJson = (request: FastifyRequest, text: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      void parse(request, text, (error, value) => (error ? reject(error) : resolve(value)));
    });
  app.addContentTypeParser(
    'application/json',
    async (request: FastifyRequest, stream: IncomingMessage) => {
      const body = new BodyBytes(await readBytes(request, stream));
      digest(request, body.bytes);
      checkShape(request, body.bytes, shapeLimits);
      return large.run(body.length, () =>
        holdingCopies(request.memory, body, () => toJson(request, body.toText())),
      );
    },
  );
}

/** Forgets the bytes of a body once it has the text: both are as large as it. */
class BodyBytes {
  readonly length: number;
  #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  toText(): string {
    const text = this.#bytes.toString();
    this.#bytes = Buffer.alloc(0);
    return text;
  }
}

/** Counts the copies that there are only while a body is parsed. */
async function holdingCopies<Value>(
  memory: MemoryHold,
  body: BodyBytes,
  parse: () => Promise<Value>,
): Promise<Value> {
  const copies = memory.beside();
  try {
    if (!isAscii(body.bytes)) copies.take(body.length * (MAX_COPIES - 1));
    return await parse();
  } finally {
    copies.release();
  }
}

/** The request no longer needs its body, and its answer may take long. */
export function dropBody(request: { body: unknown; readonly memory: MemoryHold }): void {
  request.body = undefined;
  request.memory.release();
}

function installHolds(app: FastifyInstance, budget: MemoryBudget): void {
  app.decorateRequest('memory');
  app.addHook('onRequest', (request, reply, done) => {
    const hold = budget.open(request.tenant.id);
    request.memory = hold;
    whenOver(reply, () => hold.release());
    done();
  });
}

function digest(request: FastifyRequest, bytes: Buffer): void {
  if (!(IDEMPOTENCY_HEADER in request.headers)) return;
  request.bodySha256 = createHash('sha256').update(bytes).digest('hex');
}

/** Throws for what would grow to more than may be, and counts what it grows to. */
function checkShape(request: FastifyRequest, bytes: Buffer, limits: ShapeLimits): void {
  const { elements, depth } = jsonShape(bytes, limits);
  if (depth > limits.maxDepth) {
    throw refused(request, `arrays and objects nested at most ${limits.maxDepth} deep, got more`);
  }
  if (elements > limits.maxElements) {
    throw refused(request, `at most ${limits.maxElements} values, got more`);
  }
  request.memory.take(elements * BYTES_PER_ELEMENT);
}

async function readBytes(request: FastifyRequest, stream: IncomingMessage): Promise<Buffer> {
  const maxBytes = request.routeOptions.bodyLimit ?? 0;
  const tooLarge = (bytes: number): ApiError =>
    new ApiError('body_too_large', `The body: expected at most ${maxBytes} bytes, got ${bytes}`);
  const plainBytes = Number(request.headers['content-length'] ?? 0);
  if (plainBytes > maxBytes) throw tooLarge(plainBytes);
  const body = decodedBody(request, stream);
  const expectedBytes = body === stream ? plainBytes : 0;
  try {
    return await collectBytes(body, { hold: request.memory, expectedBytes, maxBytes, tooLarge });
  } catch (error) {
    stream.unpipe().resume(); // who still sends gets to read the answer
    if (body !== stream) body.destroy();
    if (isZlibError(error)) throw notEncoded(request, error);
    if (error instanceof ApiError) throw error;
    throw new ApiError('invalid_json', 'The body ended before it was whole', { cause: error });
  }
}

const isZlibError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');

function notEncoded({ headers }: FastifyRequest, cause: Error): ApiError {
  const message = `The body: expected ${headers['content-encoding']}, as its Content-Encoding says, got other bytes`;
  return new ApiError('invalid_json', message, { cause });
}

function refused(request: FastifyRequest, expected: string): ApiError {
  const { id, tenant, routeOptions } = request;
  request.log.warn(
    { request: id, tenant: tenant.id, route: routeOptions.url },
    `body refused: ${expected}`,
  );
  return new ApiError('invalid_json', `The body: expected ${expected}`);
}
