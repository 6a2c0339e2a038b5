import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

test('every value of the chart has a line that says what it is for', async (t) => {
  const source = await readFile(projectPath('infra/helm/epd-fleet/values.yaml'), 'utf8');
  const document = parseDocument(source);
  t.true(isMap(document.contents));
  const bare = undocumented(document.contents as YAMLMap, '', document.commentBefore ?? '');
  t.deepEqual(bare, []);
});

/** What these hold is described where it comes from: settings in docs/configuration.md. */
const DESCRIBED_ELSEWHERE = new Set(['config', 'values', 'resources']);

/** Inline maps are one value; block maps are described key by key. */
function undocumented(map: YAMLMap, path: string, before: string | null | undefined): string[] {
  return map.items.flatMap((pair: Pair, index) => {
    const key = isScalar(pair.key) ? pair.key : null;
    const name = `${path}${String(key?.value)}`;
    // The parser hands the first key's comment to the map that holds it.
    const comment = key?.commentBefore ?? (index === 0 ? before : null);
    const own = comment ? [] : [name];
    const { value } = pair;
    const elsewhere = DESCRIBED_ELSEWHERE.has(String(key?.value));
    const nested = isMap(value) && value.flow !== true && !elsewhere ? value : null;
    return nested === null
      ? own
      : [...own, ...undocumented(nested, `${name}.`, nested.commentBefore)];
  });
}
