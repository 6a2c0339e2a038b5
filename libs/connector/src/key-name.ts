/**
 * Escapes an external name for use in a Redis key or a queue name: a colon would end the part, and
 * a brace would choose the key's slot in a cluster. Different names stay different; names of
 * letters, digits, `.`, `_` and `-` stay unchanged.
 */
export const keyName = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replaceAll(/[!'()*~]/g, escaped);

const escaped = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
