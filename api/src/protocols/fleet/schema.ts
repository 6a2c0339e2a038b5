import { Type } from 'typebox';

export const FleetView = Type.Object(
  {
    object: Type.Literal('fleet'),
    jobs: Type.Integer({ description: 'Accepted, and not ended.' }),
    models: Type.Array(
      Type.Object({
        id: Type.String(),
        encoders: Type.Integer({ description: 'Live workers.' }),
        decoders: Type.Integer({ description: 'Live prefill/decode workers.' }),
        encodes_waiting: Type.Integer({ description: 'Pictures that no encoder has claimed.' }),
        generates_waiting: Type.Integer({ description: 'Jobs that no decoder has claimed.' }),
      }),
    ),
    pages: Type.Object(
      {
        docs: Type.String(),
        gallery: Type.Optional(Type.String()),
        queues: Type.Optional(Type.String({ description: 'Asks for the admin key.' })),
      },
      { description: 'What people can look at.' },
    ),
  },
  { title: 'Fleet' },
);
