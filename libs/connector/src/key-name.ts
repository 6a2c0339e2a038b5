/**
 * A name from outside as a part of a Redis key or a queue's name: a colon would end the part, a brace choose the
 * key's slot in a cluster. Different names stay different; one of letters, digits, `.`, `_` and `-` stays as it is.
 */
export const keyName = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replaceAll(/[!'()*~]/g, escaped);

const escaped = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
