/**
 * Base of the errors that the connector throws deliberately. Misuse of an API (wrong arguments) is
 * a `TypeError`, and a miss is never an error. `code` is stable and may cross processes;
 * `retryable` says whether the same call may succeed later without changes.
 */
export class ConnectorError extends Error {
  override readonly name: string = 'ConnectorError';
  readonly code: string;
  readonly retryable: boolean;

  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { readonly retryable?: boolean } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** A key that is not a relative path of plain segments. */
export class StoreKeyError extends ConnectorError {
  override readonly name = 'StoreKeyError';
  readonly key: string;

  constructor(key: string) {
    super('store_key', `Not a store key: ${JSON.stringify(key.slice(0, 200))}`);
    this.key = key;
  }
}

/** The store did not respond, or responded that it is temporarily unavailable. */
export class StoreUnavailableError extends ConnectorError {
  override readonly name = 'StoreUnavailableError';
  readonly store: string;

  constructor(store: string, what: string, options: ErrorOptions = {}) {
    super('store_unavailable', `The ${store} store is unavailable: ${what}`, {
      ...options,
      retryable: true,
    });
    this.store = store;
  }
}

/** The object is there but larger than the reader allows. */
export class ObjectTooLargeError extends ConnectorError {
  override readonly name = 'ObjectTooLargeError';
  readonly key: string;
  readonly bytes: number;
  readonly maxBytes: number;

  constructor(key: string, bytes: number, maxBytes: number) {
    super('object_too_large', `${key} has ${bytes} bytes; at most ${maxBytes} are allowed`);
    this.key = key;
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }
}

/** Bytes that are not a safetensors file, or not a trusted one. `reason` is a metric label. */
export class SafetensorsError extends ConnectorError {
  override readonly name = 'SafetensorsError';
  readonly reason: string;

  constructor(reason: string, message: string) {
    super('safetensors', message);
    this.reason = reason;
  }
}

/** A transfer config that names no known connector, or a role that it does not have. */
export class ConnectorConfigError extends ConnectorError {
  override readonly name = 'ConnectorConfigError';

  constructor(message: string, options: ErrorOptions = {}) {
    super('connector_config', message, options);
  }
}
