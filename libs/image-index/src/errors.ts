import type { RefusalCode } from './requests.ts';

/** What the client of the index throws by intention. Misuse of it is a `TypeError`. */
export class ImageIndexError extends Error {
  override readonly name: string = 'ImageIndexError';
}

/** The index understood the request and cannot answer it. */
export class IndexRefusal extends ImageIndexError {
  override readonly name = 'IndexRefusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** No index worker answered in time; the same request may succeed later. */
export class IndexUnavailableError extends ImageIndexError {
  override readonly name = 'IndexUnavailableError';
  readonly withinMs: number;

  constructor(op: string, withinMs: number, options: ErrorOptions = {}) {
    super(`No index worker answered ${op} within ${withinMs} ms`, options);
    this.withinMs = withinMs;
  }
}
