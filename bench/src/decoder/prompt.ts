const FIRST_PLAIN_TOKEN = 100;
const PLAIN_TOKENS = 1500;

/** Tokens of no meaning, none of them a control token; prompts of other indexes share nothing. */
export function promptOf(length: number, index: number): number[] {
  return Array.from(
    { length },
    (_, at) => FIRST_PLAIN_TOKEN + ((at * 31 + index * 97 + ((at * at) % 7)) % PLAIN_TOKENS),
  );
}
