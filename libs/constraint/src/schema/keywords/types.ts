import type { Normal } from '../values/normal.ts';
import { ANY_ARRAY } from '../values/shapes.ts';
import { refuse, type KeywordReader, type SchemaContext } from '../values/context.ts';

const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'] as const;
type TypeName = (typeof TYPES)[number];

/** `type` */
export const types: KeywordReader = (schema, context) => {
  const { type } = schema;
  if (type === undefined) return [];
  const names: unknown[] = Array.isArray(type) ? type : [type];
  if (!names.every(isType)) {
    const problem = `expected of ${TYPES.join(', ')}, got ${JSON.stringify(type)}`;
    throw refuse(context, schema, 'type', problem, 'invalid');
  }
  return [
    {
      keyword: 'type',
      holds: () => context.normals.or(...names.map((name) => ofType(context, name))),
      fails: () => otherThan(context, new Set(names)),
    },
  ];
};

const isType = (name: unknown): name is TypeName => TYPES.includes(name as TypeName);

function ofType({ normals, scalars }: SchemaContext, name: TypeName): Normal {
  const { all, nothing } = normals;
  switch (name) {
    case 'null':
      return { ...nothing, null: true };
    case 'boolean':
      return { ...nothing, true: true, false: true };
    case 'object':
      return { ...nothing, objects: all.objects };
    case 'array':
      return { ...nothing, arrays: [ANY_ARRAY] };
    case 'number':
      return { ...nothing, numbers: all.numbers };
    case 'integer':
      return { ...nothing, numbers: scalars.integer };
    case 'string':
    default:
      return { ...nothing, strings: all.strings };
  }
}

function otherThan({ normals, scalars }: SchemaContext, names: ReadonlySet<TypeName>): Normal {
  const { all, nothing } = normals;
  const numbers = names.has('number')
    ? nothing.numbers
    : names.has('integer')
      ? scalars.notNumber(scalars.integer)
      : all.numbers;
  return {
    null: !names.has('null'),
    true: !names.has('boolean'),
    false: !names.has('boolean'),
    strings: names.has('string') ? nothing.strings : all.strings,
    numbers,
    objects: names.has('object') ? [] : all.objects,
    arrays: names.has('array') ? [] : all.arrays,
  };
}
