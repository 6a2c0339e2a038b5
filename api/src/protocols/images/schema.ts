import { IMAGE_ID_PATTERN, MAX_EXAMPLES, MAX_HITS } from '@epd/image-index';
import { Type, type Static } from 'typebox';

/** Widest vector that any model has. */
const MAX_WIDTH = 16_384;
const MAX_FILTER_VALUES = 50;
export const DEFAULT_LIMIT = 10;

export const ImageId = Type.String({ pattern: IMAGE_ID_PATTERN });
export const ImageParams = Type.Object({ id: ImageId });

const Score = Type.Number({ minimum: -1, maximum: 1 });

const Picture = Type.Union(
  [
    Type.String({ minLength: 1 }),
    Type.Object({
      url: Type.Optional(Type.String({ minLength: 1 })),
      file_id: Type.Optional(Type.String({ minLength: 1 })),
    }),
  ],
  { description: 'A data URI or https URL, or `{url}` or `{file_id}` of an uploaded picture.' },
);

/** What an image is compared with: exactly one of the three. */
const EXAMPLE = {
  image: Type.Optional(Picture),
  image_id: Type.Optional(ImageId),
  vector: Type.Optional(Type.Array(Type.Number(), { minItems: 1, maxItems: MAX_WIDTH })),
};

export const Example = Type.Object(EXAMPLE, { additionalProperties: false });
export type Example = Static<typeof Example>;

const Value = Type.String({ maxLength: 512 });

export const Filter = Type.Object(
  {
    metadata: Type.Optional(
      Type.Record(
        Type.String({ maxLength: 64 }),
        Type.Union([Value, Type.Array(Value, { maxItems: MAX_FILTER_VALUES })]),
        { description: 'All keys must match, each with one of its values.' },
      ),
    ),
    created_after: Type.Optional(Type.Number({ description: 'Seconds since the epoch.' })),
    created_before: Type.Optional(Type.Number({ description: 'Seconds since the epoch.' })),
  },
  { additionalProperties: false },
);
export type Filter = Static<typeof Filter>;

const QUERY = {
  model: Type.Optional(Type.String({ description: 'Needed where the fleet serves several.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_HITS, description: 'Default 10.' })),
  min_score: Type.Optional(Score),
  filter: Type.Optional(Filter),
};

export const SearchBody = Type.Object({ ...EXAMPLE, ...QUERY }, { additionalProperties: false });

const Examples = Type.Array(
  Type.Union([Type.String({ minLength: 1 }), Example], {
    description: "An image's id, a data URI or URL, or an object as for a search.",
  }),
  { maxItems: MAX_EXAMPLES },
);

export const RecommendBody = Type.Object(
  {
    positive: Type.Optional(Examples),
    negative: Type.Optional(Examples),
    strategy: Type.Optional(
      Type.Union([Type.Literal('average_vector'), Type.Literal('best_score')], {
        description: 'Default average_vector, which needs a positive example.',
      }),
    ),
    ...QUERY,
  },
  { additionalProperties: false },
);

export const PatchBody = Type.Object(
  {
    metadata: Type.Record(Type.String({ maxLength: 64 }), Type.Union([Value, Type.Null()]), {
      maxProperties: 16,
      description: 'Merged into what is there; null removes a key.',
    }),
  },
  { additionalProperties: false },
);

const FACTS = {
  model: Type.String(),
  width: Type.Integer(),
  height: Type.Integer(),
  bytes: Type.Integer(),
  media_type: Type.String(),
  created_at: Type.Integer(),
  metadata: Type.Record(Type.String(), Type.String()),
  jobs: Type.Array(Type.String(), { description: 'The last jobs that came with it.' }),
  url: Type.String(),
  thumbnail_url: Type.String(),
};

export const ImageView = Type.Object(
  { id: ImageId, object: Type.Literal('image'), ...FACTS },
  { title: 'Image' },
);
const HitView = Type.Object(
  { image_id: ImageId, score: Type.Number(), ...FACTS },
  { title: 'ImageHit' },
);
export const HitsView = Type.Object({ object: Type.Literal('list'), data: Type.Array(HitView) });
