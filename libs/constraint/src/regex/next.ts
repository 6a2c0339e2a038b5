import { byteClasses, derive } from './derivative.ts';
import { isLive } from './emptiness.ts';
import type { RegexPool } from './pool.ts';
import type { Regex } from './regex.ts';

/** What may follow `byte`; null: nothing does. */
export function nextOf(pool: RegexPool, regex: Regex, byte: number): Regex | null {
  regex.classes ??= byteClasses(regex);
  const klass = regex.classes.of[byte] as number;
  const known = regex.next[klass];
  if (known !== undefined) return known;
  const next = derive(pool, regex, byte);
  return (regex.next[klass] = isLive(pool, next) ? next : null);
}
