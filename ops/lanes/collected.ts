import type { ExecutionContext } from 'ava';

export type Run = (t: ExecutionContext) => unknown;

/** What a test file declares, kept until every file of its group is loaded. */
export interface Declaration {
  readonly kind: 'test' | 'serial' | 'before' | 'after';
  readonly title: string;
  readonly run: Run;
}

type Implementation = Run | { exec: (...args: readonly unknown[]) => unknown; title?: Titled };
type Titled = (given: string | undefined, ...args: readonly unknown[]) => string;

/** ava's `test` for one file of a group: of its ways to declare a test those that the project uses. */
export function collector(file: string, declared: Declaration[]) {
  const declare =
    (kind: Declaration['kind']) =>
    (...given: unknown[]): void => {
      const { title, run } = parse(given);
      declared.push({
        kind,
        title: title === '' ? `${file} › ${kind}` : `${file} › ${title}`,
        run,
      });
    };
  return Object.assign(declare('test'), {
    serial: declare('serial'),
    before: declare('before'),
    after: Object.assign(declare('after'), { always: declare('after') }),
    macro: (macro: Implementation) =>
      typeof macro === 'function' ? { exec: macro } : Object.freeze({ ...macro }),
  });
}

function parse(given: unknown[]): { title: string; run: Run } {
  const title = typeof given[0] === 'string' ? (given.shift() as string) : undefined;
  const [implementation, ...args] = given as [Implementation, ...unknown[]];
  if (typeof implementation === 'function') {
    const exec = implementation as (...all: readonly unknown[]) => unknown;
    return { title: title ?? '', run: (t) => exec(t, ...args) };
  }
  const made = implementation.title?.(title, ...args) ?? title ?? '';
  return { title: made, run: (t) => implementation.exec(t, ...args) };
}
