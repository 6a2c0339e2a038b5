interface Document {
  readonly components?: object;
  readonly paths?: object;
}

const NAME = /^[A-Z]\w*$/;

/** Puts every schema that has a title under that name into the components, and refers to it from where it stood. */
export function nameSchemas<D extends Document>(document: D): D {
  const schemas = new Map<string, string>();
  const paths: unknown = named(document.paths, schemas);
  const components = Object.fromEntries(
    Array.from(schemas, ([name, json]) => [name, JSON.parse(json) as object]),
  );
  return {
    ...document,
    paths,
    components: { ...document.components, schemas: components },
  };
}

/** Inner schemas before outer ones. A second schema of the same title, which is another one, stays where it is. */
function named(node: unknown, schemas: Map<string, string>): unknown {
  if (Array.isArray(node)) return node.map((item) => named(item, schemas));
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) =>
    // Examples are data, whatever they look like.
    key === 'examples' || key === 'example' ? [key, value] : [key, named(value, schemas)],
  );
  const made = Object.fromEntries(entries) as Record<string, unknown>;
  // It can only choose among named schemas; these tell themselves apart by a constant.
  if ('oneOf' in made) delete made['discriminator'];
  const title = made['title'];
  if (typeof title !== 'string' || !NAME.test(title)) return made;
  const json = JSON.stringify({ ...made, title: undefined });
  if ((schemas.get(title) ?? json) !== json) return made;
  schemas.set(title, json);
  return { $ref: `#/components/schemas/${title}` };
}
