export type PictureErrorCode = 'broken' | 'too_many_pixels' | 'unsupported';

/** Why a file is not a picture that can be used. The message is for whoever sent it. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
  readonly code: PictureErrorCode;

  constructor(code: PictureErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** sharp says why it refuses in words only; these are the words of its own limits. */
export function pictureErrorOf(cause: unknown, maxPixels: number): PictureError {
  if (cause instanceof PictureError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/unsupported image format|buffer is empty/i.test(text)) {
    return new PictureError('unsupported', 'The picture is of no supported format', { cause });
  }
  if (/pixel limit/i.test(text)) {
    const message = `The picture has more than ${maxPixels} pixels`;
    return new PictureError('too_many_pixels', message, { cause });
  }
  return new PictureError('broken', `The picture cannot be read: ${firstLine(text)}`, { cause });
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
