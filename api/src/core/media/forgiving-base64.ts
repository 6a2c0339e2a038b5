const PADDING = /={0,2}$/;
const TAIL = /^[A-Za-z0-9+/_-]*$/;
const TAIL_CHARACTERS = 4;
const PERCENT = 0x25;

/** By character code: what a hexadecimal digit stands for; -1 for any other character. */
const HEX = Int8Array.from({ length: 256 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase()),
);
/** By character code: 1 for ASCII's white space. */
const WHITE_SPACE = Uint8Array.from({ length: 256 }, (_, code) =>
  [0x09, 0x0a, 0x0c, 0x0d, 0x20].includes(code) ? 1 : 0,
);

interface Base64 {
  /** How many bytes it decodes to, if it is base64. */
  readonly bytes: number;
  /** Null when it is not. */
  decode(): Buffer | null;
}

/**
 * Base64 of either alphabet, padded or not, as the URL standard's data URLs hold it: percent-encoded bytes
 * are decoded and white space is skipped, because MIME encoders and `base64` without `-w0` break
 * lines.
 */
export function forgivingBase64(data: string): Base64 {
  const text = /[%\s]/.test(data) ? cleaned(data) : data;
  const characters = text.length - (PADDING.exec(text.slice(-2))?.[0].length ?? 0);
  const bytes = Math.floor((characters * 3) / 4);
  return { bytes, decode: () => decode(text, characters, bytes) };
}

function decode(text: string, characters: number, bytes: number): Buffer | null {
  const tail = text.slice(Math.max(0, characters - TAIL_CHARACTERS), characters);
  if (characters % 4 === 1 || !TAIL.test(tail)) return null;
  const decoded = Buffer.from(text, 'base64');
  // Node skips characters outside base64; then there are fewer bytes than characters promise.
  return decoded.length === bytes ? decoded : null;
}

/** One pass over bytes: a body of nothing but percent signs takes no longer than another. */
function cleaned(data: string): string {
  // In UTF-8 no byte of a character beyond ASCII is one of base64.
  const bytes = Buffer.from(data, 'utf8');
  let kept = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at]!;
    const encoded = byte === PERCENT ? hexPair(bytes, at + 1) : -1;
    if (encoded >= 0) {
      byte = encoded;
      at += 2;
    }
    if (WHITE_SPACE[byte] === 0) bytes[kept++] = byte;
  }
  return bytes.subarray(0, kept).toString('latin1');
}

/** -1 where two hexadecimal digits do not follow. */
function hexPair(bytes: Buffer, at: number): number {
  if (at + 1 >= bytes.length) return -1;
  const high = HEX[bytes[at]!]!;
  const low = HEX[bytes[at + 1]!]!;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}
