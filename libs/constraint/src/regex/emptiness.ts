import { successors } from './derivative.ts';
import type { RegexPool } from './pool.ts';
import type { Regex } from './regex.ts';

/** Whether any text matches. What a search learns of the expressions on its way is kept with them. */
export function isLive(pool: RegexPool, regex: Regex): boolean {
  if (regex.live !== null) return regex.live;
  const cameFrom = new Map<Regex, Regex | null>([[regex, null]]);
  const open = [regex];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const next of successors(pool, at)) {
      if (next.live === true) return markLive(at, cameFrom);
      if (next.live === false || cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      open.push(next);
    }
  }
  for (const dead of cameFrom.keys()) dead.live = false;
  return false;
}

function markLive(found: Regex, cameFrom: ReadonlyMap<Regex, Regex | null>): true {
  for (let at: Regex | null = found; at !== null; at = cameFrom.get(at) ?? null) at.live = true;
  return true;
}
