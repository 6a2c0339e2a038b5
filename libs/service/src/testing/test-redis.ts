import { randomBytes } from 'node:crypto';

/** The Redis that tests share, started by `npm test`; each test keeps to its own `testPrefix()`. */
export function testRedisUrl(): string {
  const url = process.env['EPD_TEST_REDIS_URL'];
  if (!url) {
    throw new Error(
      'EPD_TEST_REDIS_URL is not set: run the tests with `npm test`, or set it to a Redis of yours',
    );
  }
  return url;
}

/** A key prefix that no other test has. */
export function testPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}
