import { ApiError } from '../../http/errors.ts';

const BASE64_TAIL = /^[A-Za-z0-9+/_-]*={0,2}$/;
const TAIL_CHARACTERS = 4;

/**
 * The bytes of a `data:[<type>][;<parameter>]*;base64,<data>` URI. The declared type is not looked at:
 * what a picture is, its bytes say. Throws `invalid_image_data`.
 */
export function decodeDataUri(uri: string, maxBytes: number, param: string): Buffer {
  const comma = uri.indexOf(',');
  const head = comma < 0 ? '' : uri.slice(0, comma).toLowerCase();
  if (!head.endsWith(';base64')) {
    throw new ApiError(
      'invalid_image_data',
      `${param}: expected data:<media type>;base64,<data>, got ${JSON.stringify(uri.slice(0, 40))}…`,
      { param },
    );
  }
  return decodeBase64(uri, comma + 1, maxBytes, param);
}

function decodeBase64(uri: string, start: number, maxBytes: number, param: string): Buffer {
  const padding = uri.endsWith('==') ? 2 : uri.endsWith('=') ? 1 : 0;
  const characters = uri.length - start - padding;
  const bytes = Math.floor((characters * 3) / 4);
  if (bytes > maxBytes) throw tooLarge(bytes, maxBytes, param);
  const decoded = Buffer.from(uri.slice(start), 'base64');
  // Node skips what is no base64 character; then there are fewer bytes than characters promise.
  const tail = uri.slice(Math.max(start, uri.length - TAIL_CHARACTERS));
  if (decoded.length !== bytes || characters % 4 === 1 || !BASE64_TAIL.test(tail)) {
    throw new ApiError('invalid_image_data', `${param}: the data is not base64`, { param });
  }
  return decoded;
}

export const tooLarge = (bytes: number, maxBytes: number, param: string): ApiError =>
  new ApiError('image_too_large', `${param}: ${bytes} bytes; at most ${maxBytes} are allowed`, {
    param,
  });
