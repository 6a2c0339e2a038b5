import {
  IndexRefusal,
  IndexUnavailableError,
  type Answers,
  type IndexClient,
  type QueryRequest,
  type RefusalCode,
  type WriteRequest,
} from '@epd/image-index';
import { ApiError, type ApiErrorCode } from '../../http/errors.ts';

const CODES: Readonly<Record<RefusalCode, ApiErrorCode>> = {
  image_not_found: 'image_not_found',
  image_gone: 'image_gone',
  vector_width: 'invalid_value',
  too_much_metadata: 'invalid_value',
};

/** The fleet's index as the routes ask it: its refusals are the API's errors. */
export class ImageIndex {
  readonly #client: IndexClient | null;

  /** Null: the fleet keeps no index. */
  constructor(client: IndexClient | null) {
    this.#client = client;
  }

  /** Throws `images_off`, `unavailable`, and what the index refuses. */
  async query<R extends QueryRequest>(request: R): Promise<Answers[R['op']]> {
    return this.#translated((client) => client.query(request));
  }

  async write<R extends WriteRequest>(request: R): Promise<Answers[R['op']]> {
    return this.#translated((client) => client.write(request));
  }

  /** Call before work is done for a request. */
  assertOn(): IndexClient {
    if (this.#client) return this.#client;
    throw new ApiError(
      'images_off',
      'This fleet keeps no index of images: start it with npm start -- --index, or EPD_INDEX=true and an index worker',
    );
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  async #translated<V>(ask: (client: IndexClient) => Promise<V>): Promise<V> {
    try {
      return await ask(this.assertOn());
    } catch (error) {
      if (error instanceof IndexRefusal)
        throw new ApiError(CODES[error.code], error.message, { cause: error });
      if (error instanceof IndexUnavailableError)
        throw new ApiError('unavailable', error.message, { cause: error, retryAfterS: 1 });
      throw error;
    }
  }
}
