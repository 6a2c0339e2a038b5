import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { projectPath } from '@epd/service';

/**
 * - permanent: stays, and does not grow with the jobs
 * - expires: always has a time to live
 * - until: is removed when what it stands for is over; nothing of it is left in a fleet at rest
 */
type Lifetime = 'permanent' | 'expires' | 'until';

export interface KeyRule {
  readonly pattern: string;
  readonly matches: RegExp;
  readonly lifetime: Lifetime;
}

const ROW = /^\| `<prefix>:([^`]+)` *\|[^|]*\|[^|]*\| (permanent|expires|until)\b/;

/** The rows of docs/redis-keys.md: what the product may write, and how long each key lives. */
export function documentedKeys(file = projectPath('docs/redis-keys.md')): KeyRule[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const row = ROW.exec(line);
      return row === null ? [] : [ruleOf(row[1] ?? '', row[2] as Lifetime)];
    });
}

const QUEUE = '(?:(?:encode|generate)-[^:]+|webhooks|index-(?:queries|writes))';

/** `<name>` in a pattern stands for anything without a colon. */
function ruleOf(pattern: string, lifetime: Lifetime): KeyRule {
  const parts = pattern
    .split(/(<[^>]+>)/)
    .map((part) => (part === '<queue>' ? QUEUE : part.startsWith('<') ? '[^:]+' : escaped(part)));
  return { pattern, matches: new RegExp(`^${parts.join('')}$`), lifetime };
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

export interface KeyProblem {
  readonly key: string;
  readonly problem: 'undocumented' | 'without expiry' | 'left behind';
}

/** Keys under the prefix that the documentation does not have, or that live longer than it says. */
export async function checkKeys(
  redis: Redis,
  prefix: string,
  rules: readonly KeyRule[],
): Promise<KeyProblem[]> {
  const problems: KeyProblem[] = [];
  for await (const batch of redis.scanStream({ match: `${prefix}:*`, count: 500 })) {
    for (const key of new Set(batch as string[])) {
      const problem = await problemOf(redis, key, key.slice(prefix.length + 1), rules);
      if (problem !== null) problems.push({ key, problem });
    }
  }
  return problems.toSorted((a, b) => a.key.localeCompare(b.key));
}

async function problemOf(
  redis: Redis,
  key: string,
  name: string,
  rules: readonly KeyRule[],
): Promise<KeyProblem['problem'] | null> {
  const rule = rules.find(({ matches }) => matches.test(name));
  if (rule === undefined) return 'undocumented';
  if (rule.lifetime === 'permanent') return null;
  const ttlMs = await redis.pttl(key);
  if (ttlMs === -2) return null; // gone since it was listed
  if (rule.lifetime === 'expires') return ttlMs < 0 ? 'without expiry' : null;
  return 'left behind';
}
