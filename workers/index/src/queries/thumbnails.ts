import { inputKey, type ObjectStore } from '@epd/connector';
import { decodePicture } from '@epd/picture';
import sharp from 'sharp';

/** A page of a gallery shows some dozens; one of 256 pixels takes about 10 kB. */
const REMEMBERED_BYTES = 32 * 1024 * 1024;
const QUALITY = 75;
const CHANNELS = 3;

export interface ThumbnailsParts {
  readonly store: Pick<ObjectStore, 'get'>;
  readonly maxImageBytes: number;
  readonly maxImagePixels: number;
}

/** Small WebP copies of stored pictures, made on request; the last ones are cached. */
export class Thumbnails {
  readonly #parts: ThumbnailsParts;
  readonly #made = new Map<string, Buffer>();
  #bytes = 0;

  constructor(parts: ThumbnailsParts) {
    this.#parts = parts;
  }

  /** `edge`: the longest side, in pixels. Null when the picture is stored no more, or cannot be decoded. */
  async make(sha256: string, edge: number): Promise<Buffer | null> {
    const key = `${sha256} ${edge}`;
    const known = this.#made.get(key);
    if (known) return known;
    const { store, maxImageBytes: maxBytes } = this.#parts;
    const bytes = await store.get(inputKey(sha256), { maxBytes });
    const thumbnail = bytes && (await this.#shrink(bytes, edge));
    if (thumbnail) this.#remember(key, thumbnail);
    return thumbnail;
  }

  async #shrink(bytes: Uint8Array, edge: number): Promise<Buffer | null> {
    try {
      const { data, width, height } = await decodePicture(bytes, {
        maxPixels: this.#parts.maxImagePixels,
      });
      return await sharp(data, { raw: { width, height, channels: CHANNELS } })
        .resize(edge, edge, { fit: 'inside', withoutEnlargement: true })
        .webp({ quality: QUALITY })
        .toBuffer();
    } catch {
      return null;
    }
  }

  #remember(key: string, thumbnail: Buffer): void {
    this.#made.set(key, thumbnail);
    this.#bytes += thumbnail.length;
    for (const [oldest, { length }] of this.#made) {
      if (this.#bytes <= REMEMBERED_BYTES) return;
      this.#made.delete(oldest);
      this.#bytes -= length;
    }
  }
}
