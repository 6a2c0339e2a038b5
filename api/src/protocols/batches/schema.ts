import { Type } from 'typebox';
import { Metadata } from '../../core/jobs/metadata-schema.ts';

export const BatchBody = Type.Object(
  {
    input_file_id: Type.String({ maxLength: 100 }),
    endpoint: Type.Union([Type.Literal('/v1/chat/completions'), Type.Literal('/v1/responses')]),
    completion_window: Type.String({
      pattern: '^[1-9][0-9]{0,4}[smh]$',
      description: 'How long the batch may take: `24h`, or any number of s, m or h up to a week.',
    }),
    metadata: Type.Optional(Metadata),
  },
  { title: 'NewBatch' },
);

const Nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);

const At = Nullable(Type.Integer());

export const BatchView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('batch'),
    endpoint: Type.String(),
    errors: Nullable(
      Type.Object({
        object: Type.Literal('list'),
        data: Type.Array(
          Type.Object({
            code: Type.String(),
            line: Nullable(Type.Integer()),
            message: Type.String(),
            param: Nullable(Type.String()),
          }),
        ),
      }),
    ),
    input_file_id: Type.String(),
    completion_window: Type.String(),
    status: Type.String(),
    output_file_id: Nullable(Type.String()),
    error_file_id: Nullable(Type.String()),
    created_at: Type.Integer(),
    expires_at: Type.Integer(),
    in_progress_at: At,
    finalizing_at: At,
    completed_at: At,
    failed_at: At,
    expired_at: At,
    cancelling_at: At,
    cancelled_at: At,
    request_counts: Type.Object({
      total: Type.Integer(),
      completed: Type.Integer(),
      failed: Type.Integer(),
    }),
    metadata: Type.Record(Type.String(), Type.String()),
  },
  { title: 'Batch' },
);
