const NOT_PLAIN = /[^\x20-\x7e]|["\\%]/gu;
/** Left alone by `encodeURIComponent`, and no part of a header's encoded value. */
const RESERVED = /['()*]/g;

/** The header by which a browser saves what it is sent under this name (RFC 6266). */
export function attachment(name: string): string {
  const plain = name.replaceAll(NOT_PLAIN, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    RESERVED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"${plain === name ? '' : `; filename*=UTF-8''${encoded}`}`;
}
