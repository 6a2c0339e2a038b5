import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** A sha256 over fields, each with its length before it, so that fields cannot run into each other. */
export class FieldDigest {
  readonly #hash: Hash = createHash('sha256');

  constructor(domain: string) {
    this.add(domain);
  }

  add(field: string): void {
    const bytes = Buffer.from(field);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    this.#hash.update(length).update(bytes);
  }

  /** Members in order of name: a file that was only rewritten keeps its digest. */
  addJson(value: unknown): void {
    this.add(canonicalJson(value) ?? 'undefined');
  }

  /** The content of whole files, read a piece at a time. */
  async addFiles(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.add(await digestFile(path));
  }

  hex(): string {
    return this.#hash.digest('hex');
  }
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

function canonicalJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
