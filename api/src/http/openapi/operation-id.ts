/** Last parts of paths that say what to do with the resource before them. */
const ACTIONS = new Set(['cancel', 'complete']);
/** Those that are about many. */
const QUERIES = new Set(['recommend', 'search']);

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'set',
  PATCH: 'update',
  DELETE: 'delete',
};

/**
 * The name that generated clients call an operation by: `createJob`, `listFiles`, `getImageThumbnail`. It follows
 * from method and path, so that no route is without one; a schema's own `operationId` goes before it.
 */
export function operationId(method: string, url: string): string {
  const parts = url.split('/').filter((part) => part !== '' && part !== 'v1');
  return nameOf(method, parts) + suffixOf(parts);
}

function nameOf(method: string, parts: readonly string[]): string {
  const names = parts.filter((part) => !isParameter(part));
  const last = names.at(-1) ?? '';
  const before = names.slice(0, -1).map((name) => pascal(singular(name)));
  if (method === 'POST' && ACTIONS.has(last)) return last + before.join('');
  if (method === 'POST' && QUERIES.has(last)) return last + names.slice(0, -1).map(pascal).join('');
  const isOne = isParameter(parts.at(-1) ?? '') || method === 'POST';
  const isList = method === 'GET' && !isOne && last.endsWith('s') && !parts.some(isParameter);
  const verb = isList ? 'list' : (VERBS[method] ?? method.toLowerCase());
  return verb + before.join('') + pascal(isOne ? singular(last) : last);
}

/** A resource that two parts of the path name has another path by its id: `ByOwnerAndName`. */
function suffixOf(parts: readonly string[]): string {
  const pair = parts.findIndex(
    (part, index) => isParameter(part) && isParameter(parts[index + 1] ?? ''),
  );
  if (pair === -1) return '';
  return `By${[parts[pair], parts[pair + 1]].map((part) => pascal(part?.slice(1) ?? '')).join('And')}`;
}

const isParameter = (part: string): boolean => part.startsWith(':') || part === '*';

const singular = (name: string): string =>
  name.endsWith('ches') ? name.slice(0, -2) : name.replace(/s$/, '');

const pascal = (name: string): string =>
  name.replaceAll(/(?:^|[-_.])(\w)/g, (_, letter: string) => letter.toUpperCase());
