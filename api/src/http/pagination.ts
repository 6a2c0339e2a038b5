import { ApiError } from './errors.ts';
import { Type, type TSchema } from 'typebox';

const MAX_PAGE = 100;

export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, description: 'Default 20.' })),
  order: Type.Optional(
    Type.Union([Type.Literal('asc'), Type.Literal('desc')], {
      description: 'By creation; default desc.',
    }),
  ),
  after: Type.Optional(Type.String({ description: 'Id after which the page begins.' })),
});

export const pageSchema = <S extends TSchema>(item: S) =>
  Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    first_id: Type.Union([Type.String(), Type.Null()]),
    last_id: Type.Union([Type.String(), Type.Null()]),
    has_more: Type.Boolean(),
  });

export function pageOf<T extends { readonly id: string }>(data: T[], hasMore: boolean) {
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}

/** `after` names nothing that the list has, or had lately. */
export const unknownPlace = (what: string): ApiError =>
  new ApiError('invalid_value', `after: expected ${what} of this list`, { param: 'after' });
