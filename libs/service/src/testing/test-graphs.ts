import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let own: string | null = null;

/**
 * A folder where rewritten graphs are kept: one for all tests of a run, which `npm test` gives, else one for
 * this process. A graph takes a second to rewrite and to prove.
 */
export function testGraphs(): string {
  const given = process.env['EPD_TEST_GRAPHS'];
  if (given) mkdirSync(given, { recursive: true });
  if (given) return given;
  if (own !== null) return own;
  const made = mkdtempSync(join(tmpdir(), 'epd-graphs-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  own = made;
  return made;
}
