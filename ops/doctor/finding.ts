/** What a check found. `warn`: it works, and not as well or as safely as it should. */
export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it; empty when all is well. */
  readonly fix: string;
}

export const ok = (check: string, found: string): Finding => ({
  check,
  level: 'ok',
  found,
  fix: '',
});

export const warn = (check: string, found: string, fix: string): Finding => ({
  check,
  level: 'warn',
  found,
  fix,
});

export const fail = (check: string, found: string, fix: string): Finding => ({
  check,
  level: 'fail',
  found,
  fix,
});

/** A check that throws has found something, too. */
export async function guarded(
  check: string,
  fix: string | ((error: unknown) => string),
  look: () => Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : null;
    const found = error instanceof Error ? error.message : String(error);
    const said = cause === null ? found : `${found} (${cause.message})`;
    return [fail(check, said, typeof fix === 'string' ? fix : fix(error))];
  }
}

export function milliseconds(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}
