import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { join } from 'node:path';
import { ModelFolderError } from '../errors.ts';
import type { ModelFolder } from '../folder/model-folder.ts';

const Vocabulary = Compile(
  Type.Object({ vocab: Type.Record(Type.String(), Type.Integer({ minimum: 0 })) }),
);
const Step = Type.Object({
  type: Type.String(),
  decoders: Type.Optional(Type.Array(Type.Object({ type: Type.String() }))),
});
const decoderSchema = Compile(Step);

/**
 * The bytes that each token id adds to a text, by id; null for control tokens, which add none. Throws
 * `ModelFolderError` for vocabularies that are not byte-level or with byte fallback.
 */
export function tokenBytes(folder: ModelFolder): (Uint8Array | null)[] {
  const { model, added_tokens: added } = folder.tokenizer;
  if (!Vocabulary.Check(model)) throw unreadable(folder, 'model.vocab: tokens and their ids');
  const spell = speller(folder);
  const bytes: (Uint8Array | null)[] = [];
  for (const [piece, id] of Object.entries(model.vocab)) bytes[id] = spell(piece);
  for (const { id, content, special } of added)
    bytes[id] = special ? null : new TextEncoder().encode(content);
  return Array.from(bytes, (spelled) => spelled ?? null);
}

function speller(folder: ModelFolder): (piece: string) => Uint8Array {
  const { decoder } = folder.tokenizer as { decoder?: unknown };
  if (!decoderSchema.Check(decoder)) throw unreadable(folder, 'decoder: the type of the decoder');
  const kinds = new Set(stepsOf(decoder));
  if (kinds.has('ByteLevel')) return byteLevel;
  if (kinds.has('ByteFallback') || kinds.has('Metaspace')) return withFallback;
  throw unreadable(folder, 'decoder: ByteLevel, ByteFallback or Metaspace');
}

const stepsOf = ({ type, decoders }: Static<typeof Step>): string[] => [
  type,
  ...(decoders ?? []).map((step) => step.type),
];

/** Byte-level vocabularies write each byte as a visible character. */
const byteOf = new Map<string, number>();
for (let byte = 0, hidden = 0; byte < 256; byte++) {
  const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  byteOf.set(String.fromCodePoint(visible ? byte : 256 + hidden++), byte);
}

function byteLevel(piece: string): Uint8Array {
  const bytes = Array.from(piece, (char) => byteOf.get(char));
  // A piece with other characters was added as plain text.
  return bytes.includes(undefined)
    ? new TextEncoder().encode(piece)
    : Uint8Array.from(bytes, (byte) => byte ?? 0);
}

function withFallback(piece: string): Uint8Array {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(piece)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  return new TextEncoder().encode(piece.replaceAll('▁', ' '));
}

const unreadable = ({ path }: ModelFolder, expected: string): ModelFolderError =>
  new ModelFolderError('invalid_config', {
    file: join(path, 'tokenizer.json'),
    expected,
    found: 'something else',
  });
