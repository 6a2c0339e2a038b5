const SECRETS: ReadonlySet<string> = new Set([
  'authorization',
  'apiKey',
  'password',
  'secret',
  'secretAccessKey',
]);
const HIDDEN = '(hidden)';
/** Levels below the top that are looked into. */
const DEPTH_MAX = 2;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields, with values hidden that are named like a secret, at the top and one and two levels down. Copies
 * only what holds a secret: pino's own `redact` clones every line. Instances of classes are left to their
 * serializers.
 */
export function hideSecrets<T extends Fields>(fields: T, depth = 0): T {
  let hidden: Record<string, unknown> | null = null;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const shown = SECRETS.has(name) ? HIDDEN : withoutSecrets(value, depth);
    if (shown !== value) (hidden ??= { ...fields })[name] = shown;
  }
  return (hidden ?? fields) as T;
}

function withoutSecrets(value: unknown, depth: number): unknown {
  if (depth === DEPTH_MAX || typeof value !== 'object' || value === null) return value;
  if (isPlain(value)) return hideSecrets(value, depth + 1);
  if (!Array.isArray(value)) return value;
  const shown = value.map((item: unknown) => withoutSecrets(item, depth + 1));
  return shown.some((item, index) => item !== value[index]) ? shown : value;
}

function isPlain(value: object): value is Fields {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
