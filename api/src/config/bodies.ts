import { Type } from 'typebox';

const MIB = 1024 * 1024;

/** What requests may bring, and hold of the process's memory. */
export const bodiesConfig = {
  maxBodyBytes: Type.Integer({
    env: 'EPD_MAX_BODY_BYTES',
    default: 32 * MIB,
    minimum: 1024,
    description:
      'Largest JSON body: the largest picture as base64, a third larger than it is, and some text',
  }),
  bodyMemoryBytes: Type.Integer({
    env: 'EPD_BODY_MEMORY_BYTES',
    default: 128 * MIB,
    minimum: 65_536,
    description:
      'Maximum bytes of bodies, files and fetched pictures in the memory of the process; above it requests are answered 503 with Retry-After. At least three times EPD_MAX_BODY_BYTES, and EPD_MAX_FILE_BYTES',
  }),
  maxJsonElements: Type.Integer({
    env: 'EPD_MAX_JSON_ELEMENTS',
    default: 100_000,
    minimum: 100,
    description: 'Maximum values in a JSON body: each takes memory many times its length',
  }),
  maxJsonDepth: Type.Integer({
    env: 'EPD_MAX_JSON_DEPTH',
    default: 100,
    minimum: 10,
    maximum: 1_000,
    description: 'Maximum nesting depth of a JSON body',
  }),
  requestTimeoutMs: Type.Integer({
    env: 'EPD_REQUEST_TIMEOUT_MS',
    default: 120_000,
    minimum: 1_000,
    description:
      'Time limit for receiving a whole request, including its body: at the default the largest file needs 7 Mbit/s',
  }),
  maxFileBytes: Type.Integer({
    env: 'EPD_MAX_FILE_BYTES',
    default: 100 * MIB,
    minimum: 1024,
    description: 'Largest uploaded file: a batch of requests, or a picture if its own limit allows',
  }),
};
