import type { Atom } from '../values/atom.ts';
import {
  countIn,
  refuse,
  schemasIn,
  subschema,
  type Assertion,
  type KeywordReader,
  type SchemaContext,
} from '../values/context.ts';
import type { SchemaObject } from '../values/document.ts';
import { ANY_ARRAY, type ArrayShape } from '../values/shapes.ts';

/** `items`, `prefixItems`, `additionalItems`, `minItems`, `maxItems`, `uniqueItems` */
export const arrays: KeywordReader = (schema, context) => {
  for (const keyword of ['contains', 'minContains', 'maxContains'])
    if (schema[keyword] !== undefined)
      throw refuse(context, schema, keyword, 'is not supported: spell out the items');
  return [...items(schema, context), ...counts(schema, context), ...unique(schema, context)];
};

function items(schema: SchemaObject, context: SchemaContext): Assertion[] {
  const keyword = ['items', 'prefixItems'].find((name) => schema[name] !== undefined);
  if (keyword === undefined) return [];
  const { normals } = context;
  return [
    {
      keyword,
      holds: () => ({ ...normals.all, arrays: [{ ...ANY_ARRAY, ...itemAtoms(schema, context) }] }),
    },
  ];
}

function itemAtoms(
  schema: SchemaObject,
  context: SchemaContext,
): Pick<ArrayShape, 'prefix' | 'rest'> {
  const { atoms } = context;
  const rest = (keyword: string): readonly Atom[] =>
    schema[keyword] === undefined ? [] : [atoms.of(subschema(context, schema, keyword))];
  // Drafts before 2020 have the prefix as the list of `items`.
  const listed = Array.isArray(schema['items']);
  const keyword = listed ? 'items' : 'prefixItems';
  const list = schema[keyword];
  const isTuple = list !== undefined && !(Array.isArray(list) && list.length === 0);
  const prefix = isTuple ? schemasIn(context, schema, keyword) : [];
  return {
    prefix: prefix.map((part) => [atoms.of(part)]),
    rest: rest(listed ? 'additionalItems' : 'items'),
  };
}

function counts(schema: SchemaObject, context: SchemaContext): Assertion[] {
  const min = countIn(context, schema, 'minItems');
  const max = countIn(context, schema, 'maxItems');
  const { normals } = context;
  const found: Assertion[] = [];
  if (min !== undefined)
    found.push({
      keyword: 'minItems',
      holds: () => ({ ...normals.all, arrays: [{ ...ANY_ARRAY, min }] }),
      fails: () => ({
        ...normals.nothing,
        arrays: min === 0 ? [] : [{ ...ANY_ARRAY, max: min - 1 }],
      }),
    });
  if (max !== undefined)
    found.push({
      keyword: 'maxItems',
      holds: () => ({ ...normals.all, arrays: [{ ...ANY_ARRAY, max }] }),
      fails: () => ({ ...normals.nothing, arrays: [{ ...ANY_ARRAY, min: max + 1 }] }),
    });
  return found;
}

/** Whether items can be kept apart shows when all that is said of the array is known. */
function unique(schema: SchemaObject, context: SchemaContext): Assertion[] {
  if (schema['uniqueItems'] !== true) return [];
  const { normals, document } = context;
  const array = { ...ANY_ARRAY, unique: document.pathOf(schema) };
  return [{ keyword: 'uniqueItems', holds: () => ({ ...normals.all, arrays: [array] }) }];
}
