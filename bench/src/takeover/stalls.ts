/** What a stream's reader sees of a takeover, and when, in milliseconds of its own clock. */
export interface Seen {
  readonly what: 'token' | 'resumed';
  readonly atMs: number;
}

/**
 * How long a stream stood still at each takeover: from the last token before another worker resumed it to the
 * first one after. Nothing for a takeover before the first token, or one that no token has followed.
 */
export function stallsOf(seen: readonly Seen[]): number[] {
  return seen.flatMap(({ what }, at) => {
    if (what !== 'resumed') return [];
    const before = seen.slice(0, at).findLast((one) => one.what === 'token');
    const after = seen.slice(at).find((one) => one.what === 'token');
    return before === undefined || after === undefined ? [] : [after.atMs - before.atMs];
  });
}
