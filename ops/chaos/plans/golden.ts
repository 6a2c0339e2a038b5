import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { projectPath } from '@epd/service';

export interface GoldenCase {
  readonly images: readonly string[];
  readonly question: string;
  readonly answer: string;
  readonly token_ids: readonly number[];
}

const FOLDER = projectPath('models/tiny-vlm/golden');

/** Questions with the PyTorch reference's greedy answers. */
export const goldenCases = JSON.parse(
  readFileSync(join(FOLDER, 'cases.json'), 'utf8'),
) as readonly GoldenCase[];

/** Questions that are also asked with `ignore_eos`, for long streams. */
export const LONG_CASES: readonly number[] = [0, 1, 2, 3];

export const pictureOf = (name: string): Buffer => readFileSync(join(FOLDER, name));

const SIGNATURE_BYTES = 8;
const IHDR_BYTES = 25;

/** The same pixels in another file: a text chunk that decoders pass over, behind the header. */
export function withNonce(png: Buffer, nonce: number): Buffer {
  const chunk = pngChunk('tEXt', Buffer.from(`Comment\0chaos ${nonce}`, 'latin1'));
  const at = SIGNATURE_BYTES + IHDR_BYTES;
  return Buffer.concat([png.subarray(0, at), chunk, png.subarray(at)]);
}

/** A file whose header is right and whose pixels are not: it is accepted, and cannot be decoded. */
export function broken(png: Buffer, nonce: number): Buffer {
  const at = SIGNATURE_BYTES + IHDR_BYTES;
  const noise = Buffer.from(`these are no pixels ${nonce}`);
  return Buffer.concat([
    png.subarray(0, at),
    pngChunk('IDAT', noise),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, check]);
}
