/** What callers may upload files for. */
export const UPLOAD_PURPOSES = ['vision', 'user_data', 'batch'] as const;

/** OpenAI's bounds for `expires_after`. */
export const MIN_EXPIRY_S = 3_600;
export const MAX_EXPIRY_S = 2_592_000;

const MAX_NAME_CHARACTERS = 255;

/** It is shown, never used as a path. */
export const cleanName = (name: string): string =>
  name.replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, MAX_NAME_CHARACTERS) || 'file';
