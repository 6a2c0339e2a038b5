import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { drawn } from './drawn.ts';

const FOLDER = join(import.meta.dirname, '../../models/miniatures');

type Picture = readonly [width: number, height: number, seed: number];
type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly image: number };

/** A question to a miniature, with PyTorch's greedy tokens. */
export interface MiniatureCase {
  readonly images: readonly Picture[];
  readonly messages: readonly {
    readonly role: string;
    readonly content: string | readonly Part[];
  }[];
  readonly tokens: readonly number[];
}

export const miniatureFolder = (name: string): string => join(FOLDER, name);

export function miniatureCases(name: string): readonly MiniatureCase[] {
  const golden = readFileSync(join(FOLDER, name, 'golden.json'), 'utf8');
  return (JSON.parse(golden) as { cases: readonly MiniatureCase[] }).cases;
}

/** The job that asks a golden question of a miniature. */
export function miniatureJob({ images, messages, tokens }: MiniatureCase): Record<string, unknown> {
  const partOf = (part: Part): object =>
    part.type === 'text' ? part : imagePart(images[part.image] as Picture);
  return {
    messages: messages.map(({ role, content }) => ({
      role,
      content: typeof content === 'string' ? content : content.map(partOf),
    })),
    max_tokens: tokens.length,
    ignore_eos: true,
    temperature: 0,
    return_token_ids: true,
  };
}

function imagePart([width, height, seed]: Picture): object {
  const url = `data:image/png;base64,${png(width, height, drawn(width, height, seed)).toString('base64')}`;
  return { type: 'image_url', image_url: { url } };
}

/** RGB, 8 bits a channel, no filter. */
function png(width: number, height: number, rgb: Uint8Array): Buffer {
  const rows = Array.from({ length: height }, (_, y) =>
    Buffer.concat([Buffer.of(0), rgb.subarray(y * width * 3, (y + 1) * width * 3)]),
  );
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const body = deflateSync(Buffer.concat(rows));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', body), chunk('IEND')]);
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  const named = Buffer.concat([Buffer.from(type), data]);
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
