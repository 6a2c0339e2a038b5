import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { TokenizerFile } from '../files/configs.ts';

/*
 * A lower bound of what text costs, which an API can apply without a tokenizer: text of B bytes in UTF-8
 * is at least B / `bytesPerTokenMax` tokens.
 */

/**
 * Where a tokenizer may drop text, or take any length of it for one unknown token, no bound is sure. No
 * text that is written to be read comes near this.
 */
const UNSURE_BYTES = 1024;

const Step = Type.Object({ type: Type.String() });
const Steps = Type.Object({
  normalizer: Type.Optional(Type.Unknown()),
  pre_tokenizer: Type.Optional(Type.Unknown()),
});
const Sequence = Type.Object({
  normalizers: Type.Optional(Type.Array(Type.Unknown())),
  pretokenizers: Type.Optional(Type.Array(Type.Unknown())),
});
const Split = Type.Object({ behavior: Type.String() });
const Model = Type.Object({
  type: Type.Optional(Type.String()),
  byte_fallback: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  vocab: Type.Union([
    Type.Record(Type.String(), Type.Integer()),
    Type.Array(Type.Tuple([Type.String(), Type.Number()])),
  ]),
});

/** Bytes that a character may lose by each normalizer: composed, folded or made lower case. */
const SHRINKS = new Map([
  ['NFC', 3],
  ['NFD', 3],
  ['NFKC', 4],
  ['NFKD', 4],
  ['Lowercase', 3],
  ['Prepend', 1],
  ['ByteLevel', 1],
]);

/** Pre-tokenizers that divide text and drop nothing of it. */
const DIVIDES = new Set(['ByteLevel', 'Digits', 'Metaspace', 'Punctuation', 'Split']);

/** The most bytes of text, in UTF-8, that one token can stand for. */
export function bytesPerTokenMax(file: TokenizerFile): number {
  const { normalizer, pre_tokenizer: divider } = file as Static<typeof Steps>;
  const shrink = shrinkOf(normalizer);
  const divisions = flatten(divider);
  const sure = shrink !== null && divisions.every(keepsAll) && knowsAllBytes(file, divisions);
  return sure ? Math.max(1, longestToken(file, divisions) * shrink) : UNSURE_BYTES;
}

type Step = Static<typeof Step>;

/** The steps of a sequence, or the one step; none for null. */
function flatten(step: unknown): Step[] {
  if (!Value.Check(Step, step)) return [];
  if (!Value.Check(Sequence, step) || step.type !== 'Sequence') return [step];
  return [...(step.normalizers ?? []), ...(step.pretokenizers ?? [])].flatMap(flatten);
}

/** Null: a normalizer that is not known to keep what it reads. */
function shrinkOf(normalizer: unknown): number | null {
  let product = 1;
  for (const step of flatten(normalizer)) {
    const factor = isBlankMark(step) ? 1 : SHRINKS.get(step.type);
    if (factor === undefined) return null;
    product *= factor;
  }
  return product;
}

const BlankMark = Type.Object({
  type: Type.Literal('Replace'),
  pattern: Type.Object({ String: Type.Literal(' ') }),
  content: Type.Literal('▁'),
});
const isBlankMark = (step: Step): boolean => Value.Check(BlankMark, step);

const keepsAll = (step: Step): boolean =>
  DIVIDES.has(step.type) && !(Value.Check(Split, step) && step.behavior === 'Removed');

/** Else text of any length may become one unknown token. */
function knowsAllBytes({ model }: TokenizerFile, divisions: readonly Step[]): boolean {
  if (!Value.Check(Model, model)) return false;
  const { type = 'BPE', byte_fallback: fallback } = model;
  if (type === 'BPE') return fallback === true || isByteLevel(divisions);
  return type === 'Unigram' && fallback === true;
}

const isByteLevel = (divisions: readonly Step[]): boolean =>
  divisions.some(({ type }) => type === 'ByteLevel');

function longestToken(file: TokenizerFile, divisions: readonly Step[]): number {
  const { model, added_tokens: added } = file;
  // Control tokens are never read in a text of a user's.
  const control = new Set(added.flatMap(({ special, content }) => (special ? [content] : [])));
  const vocabulary = Value.Check(Model, model) ? texts(model.vocab) : [];
  // A byte-level vocabulary writes each byte as one character of one UTF-16 unit.
  const bytesOf = (text: string): number =>
    isByteLevel(divisions) ? text.length : Buffer.byteLength(text);
  const own = vocabulary.filter((text) => !control.has(text)).map(bytesOf);
  const extra = added.filter(({ special }) => !special);
  return most([...own, ...extra.map(({ content }) => Buffer.byteLength(content))]);
}

const most = (numbers: readonly number[]): number =>
  numbers.reduce((largest, number) => Math.max(largest, number), 0);

const texts = (vocab: Static<typeof Model>['vocab']): string[] =>
  Array.isArray(vocab) ? vocab.map(([text]) => text) : Object.keys(vocab);
