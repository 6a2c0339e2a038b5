import { connect, type Connection, type ConnectionOptions } from '@lancedb/lancedb';
import { sha256Hex } from '@epd/connector';
import type { StoreOptions } from '@epd/service';
import type { EmbeddingIndex } from './embedding-index.ts';
import { LanceIndex } from './lance-index.ts';

const TABLE = 'images_';
const DIGITS = 16;

/** One table for each version of a model: vectors of two versions cannot be compared. */
export class ImageTables {
  readonly #db: Connection;
  readonly #open = new Map<string, Promise<LanceIndex>>();

  private constructor(db: Connection) {
    this.#db = db;
  }

  /** `index` in the fleet's bucket, or in the folder that is given. */
  static async connect(store: StoreOptions, folder: string): Promise<ImageTables> {
    const { uri, options } = locationOf(store, folder);
    // Every read looks for what other processes have written.
    return new ImageTables(await connect(uri, { ...options, readConsistencyInterval: 0 }));
  }

  /** For the writer: makes the table at the first image of a version. */
  async make(fingerprint: string, width: number): Promise<EmbeddingIndex> {
    const name = nameOf(fingerprint);
    return this.#keep(name, () => LanceIndex.create(this.#db, name, width));
  }

  /** Null: no image of that version was ever indexed. */
  async find(fingerprint: string): Promise<EmbeddingIndex | null> {
    const name = nameOf(fingerprint);
    const known = this.#open.has(name) || (await this.#names()).includes(name);
    return known ? this.#keep(name, () => LanceIndex.open(this.#db, name)) : null;
  }

  async all(): Promise<EmbeddingIndex[]> {
    const names = await this.#names();
    return Promise.all(
      names.map((name) => this.#keep(name, () => LanceIndex.open(this.#db, name))),
    );
  }

  close(): void {
    this.#db.close();
  }

  async #names(): Promise<string[]> {
    return (await this.#db.tableNames({ limit: 1_000 })).filter((name) => name.startsWith(TABLE));
  }

  #keep(name: string, open: () => Promise<LanceIndex>): Promise<EmbeddingIndex> {
    const table = this.#open.get(name) ?? open();
    this.#open.set(name, table);
    table.catch(() => this.#open.delete(name));
    return table;
  }
}

const nameOf = (fingerprint: string): string =>
  TABLE + sha256Hex(Buffer.from(fingerprint)).slice(0, DIGITS);

function locationOf(
  store: StoreOptions,
  folder: string,
): { readonly uri: string; readonly options: Partial<ConnectionOptions> } {
  if (store.kind === 'folder') return { uri: folder, options: {} };
  const { bucket, region, endpoint, accessKeyId, secretAccessKey, forcePathStyle } = store;
  const storageOptions = {
    region,
    virtual_hosted_style_request: String(!forcePathStyle),
    ...(endpoint === undefined
      ? {}
      : { endpoint, allow_http: String(endpoint.startsWith('http:')) }),
    ...(accessKeyId === undefined ? {} : { aws_access_key_id: accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { aws_secret_access_key: secretAccessKey }),
  };
  return { uri: `s3://${bucket}/index`, options: { storageOptions } };
}
