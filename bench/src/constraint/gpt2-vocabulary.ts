import ranks from 'js-tiktoken/ranks/gpt2';

/** The size of SmolVLM's vocabulary, which is made like this one. */
const TOKENS = 49_152;

/** The bytes of GPT-2's first tokens, in order. */
export function gpt2Vocabulary(): Uint8Array[] {
  const tokens: Uint8Array[] = [];
  for (const line of ranks.bpe_ranks.split('\n').filter((text) => text !== '')) {
    const [, offset = '0', ...spelled] = line.split(' ');
    for (const [at, text] of spelled.entries())
      tokens[Number(offset) + at] = Buffer.from(text, 'base64');
  }
  return tokens.slice(0, TOKENS);
}

/** A text in the longest tokens that fit, from the left. */
export function longestTokens(vocabulary: readonly Uint8Array[]): (text: string) => number[] {
  const ids = new Map(vocabulary.map((bytes, id) => [Buffer.from(bytes).toString('latin1'), id]));
  const longest = vocabulary.reduce((most, { length }) => Math.max(most, length), 0);
  return (text) => {
    const bytes = Buffer.from(text).toString('latin1');
    const found: number[] = [];
    for (let at = 0; at < bytes.length;) {
      let length = Math.min(longest, bytes.length - at);
      while (!ids.has(bytes.slice(at, at + length))) length--;
      found.push(ids.get(bytes.slice(at, at + length)) ?? 0);
      at += length;
    }
    return found;
  };
}
