/** Prompts for a model whose greedy answer counts on from the prompt's last token. */
export const DRAFT_PROMPTS = { whole: copied, phrases, none: countingDown } as const;

/** Ids below are special in the bundled tokenizer, or may be. */
const FIRST = 20;
/** Tokens between the answers of prompts that are asked together. */
const APART = 700;
/** Tokens of a copied phrase, and of what stands between two of them in the answer. */
const PHRASE = 12;
const OWN = 12;
/** The last tokens of a prompt, from which the answer is recognized. */
const LEAD = 3;

const first = (index: number): number => FIRST + index * APART;

const counted = (from: number, length: number): number[] =>
  Array.from({ length }, (_, at) => from + at);

/** The answer stands in the prompt, word for word. */
function copied(length: number, index: number): number[] {
  const text = counted(first(index), length - LEAD);
  return [...text, ...text.slice(0, LEAD)];
}

/** Of the answer, the prompt holds phrases of twelve tokens; between them are twelve that it does not hold. */
function phrases(length: number, index: number): number[] {
  const count = Math.floor((length - LEAD) / PHRASE);
  const starts = Array.from({ length: count }, (_, at) => first(index) + at * (PHRASE + OWN));
  const text = starts.toReversed().flatMap((start) => counted(start, PHRASE));
  return [...text, ...counted(first(index), LEAD)];
}

/** The prompt holds nothing of the answer. */
function countingDown(length: number, index: number): number[] {
  return counted(first(index), length).toReversed();
}
