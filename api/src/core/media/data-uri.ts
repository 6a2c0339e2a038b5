import { ApiError } from '../../http/errors.ts';
import { forgivingBase64 } from './forgiving-base64.ts';

/**
 * The bytes of a `data:[<type>][;<parameter>]*;base64,<data>` URI, white space and percent-encoding
 * forgiven as in the URL standard. The declared type is ignored: the bytes decide.
 * Throws `invalid_image_data`, and `image_too_large` before it decodes.
 */
export function decodeDataUri(uri: string, maxBytes: number, param: string): Buffer {
  const comma = uri.indexOf(',');
  const head = comma < 0 ? '' : uri.slice(0, comma);
  if (!/; *base64 *$/i.test(head)) {
    throw new ApiError(
      'invalid_image_data',
      `${param}: expected data:<media type>;base64,<data>, got ${JSON.stringify(uri.slice(0, 40))}…`,
      { param },
    );
  }
  const base64 = forgivingBase64(uri.slice(comma + 1));
  if (base64.bytes > maxBytes) throw tooLarge(base64.bytes, maxBytes, param);
  const decoded = base64.decode();
  if (decoded !== null) return decoded;
  throw new ApiError('invalid_image_data', `${param}: the data is not base64`, { param });
}

export const tooLarge = (bytes: number, maxBytes: number, param: string): ApiError =>
  new ApiError('image_too_large', `${param}: ${bytes} bytes; at most ${maxBytes} are allowed`, {
    param,
  });
