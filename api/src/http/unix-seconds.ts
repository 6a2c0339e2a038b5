/** A time as OpenAI's API writes it. */
export const unixSeconds = (ms: number): number => Math.floor(ms / 1000);
