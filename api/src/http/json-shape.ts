export interface JsonShape {
  /** Values in arrays and objects, at most: empty ones count, too. */
  readonly elements: number;
  /** Of arrays and objects within each other. */
  readonly depth: number;
}

export interface ShapeLimits {
  readonly maxElements: number;
  readonly maxDepth: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACKETS = {
  openArray: 0x5b,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/**
 * What parsing would make of a JSON text, read from its bytes without making it: `[{},{}]` takes many times
 * its length once parsed. Ends early, with a figure above the limit, where one is passed. Text that is no JSON
 * gives some figure; the parser refuses it.
 */
export function jsonShape(json: Uint8Array, { maxElements, maxDepth }: ShapeLimits): JsonShape {
  let [elements, depth, deepest] = [0, 0, 0];
  for (let at = 0; at < json.length && elements <= maxElements && deepest <= maxDepth; at++) {
    switch (json[at] ?? 0) {
      case QUOTE:
        at = endOfString(json, at + 1);
        break;
      case COMMA:
        elements += 1;
        break;
      case BRACKETS.openArray:
      case BRACKETS.openObject:
        elements += 1;
        depth += 1;
        deepest = Math.max(deepest, depth);
        break;
      case BRACKETS.closeArray:
      case BRACKETS.closeObject:
        depth -= 1;
        break;
      default:
    }
  }
  return { elements, depth: deepest };
}

/** Index of the quote that ends the string whose content begins at `start`, or the text's length. */
function endOfString(json: Uint8Array, start: number): number {
  const quote = json.indexOf(QUOTE, start); // fast, and enough for long strings, which are base64
  if (quote === -1) return json.length;
  if (json[quote - 1] !== BACKSLASH) return quote;
  const escape = json.indexOf(BACKSLASH, start);
  for (let at = escape; at < json.length; at++) {
    if (json[at] === QUOTE) return at;
    if (json[at] === BACKSLASH) at += 1;
  }
  return json.length;
}
