import { numberIn, refuse, type KeywordReader, type SchemaContext } from '../values/context.ts';
import type { SchemaObject } from '../values/document.ts';
import type { NumberBounds } from '../values/scalars.ts';

/** `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum` and `multipleOf` */
export const numbers: KeywordReader = (schema, context) => {
  const { normals, scalars } = context;
  return boundsIn(schema, context).map(([keyword, bounds]) => {
    const regex = scalars.numbers(bounds);
    if (regex === null) {
      const problem = `${bounds.multipleOf} is not a step that can be held to`;
      throw refuse(context, schema, keyword, problem);
    }
    return {
      keyword,
      holds: () => ({ ...normals.all, numbers: regex }),
      fails: () => ({ ...normals.nothing, numbers: scalars.notNumber(regex) }),
    };
  });
};

function boundsIn(schema: SchemaObject, context: SchemaContext): [string, NumberBounds][] {
  const found: [string, NumberBounds][] = [];
  const min = numberIn(context, schema, 'minimum');
  const max = numberIn(context, schema, 'maximum');
  const above = exclusive(schema, context, 'exclusiveMinimum');
  const below = exclusive(schema, context, 'exclusiveMaximum');
  const multipleOf = numberIn(context, schema, 'multipleOf');
  if (min !== undefined) found.push(['minimum', { min, exclusiveMin: above === true }]);
  if (max !== undefined) found.push(['maximum', { max, exclusiveMax: below === true }]);
  if (typeof above === 'number')
    found.push(['exclusiveMinimum', { min: above, exclusiveMin: true }]);
  if (typeof below === 'number')
    found.push(['exclusiveMaximum', { max: below, exclusiveMax: true }]);
  if (multipleOf !== undefined) found.push(['multipleOf', { multipleOf }]);
  return found;
}

/** In the fourth draft it is a flag of the bound beside it. */
function exclusive(
  schema: SchemaObject,
  context: SchemaContext,
  keyword: string,
): number | boolean | undefined {
  const value = schema[keyword];
  return typeof value === 'boolean' ? value : numberIn(context, schema, keyword);
}
