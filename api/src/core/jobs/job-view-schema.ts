import { jobSchemas } from '@epd/jobs';
import { Type, type Static } from 'typebox';

const Nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);

const ToolCall = Type.Object({
  id: Type.String(),
  name: Type.String(),
  arguments: Type.String(),
});

const Output = Type.Object({
  text: Type.String(),
  reasoning: Type.Optional(Type.String()),
  tool_calls: Type.Optional(Type.Array(ToolCall)),
  finish_reason: Nullable(Type.String()),
  token_ids: Type.Optional(Type.Array(Type.Integer())),
  logprobs: Type.Optional(Type.Unknown()),
});

const Ms = Type.Optional(Type.Number());

const ImageTimingsView = Type.Object({
  mm_hash: Type.String(),
  source: Type.Optional(Type.String()),
  queue_ms: Ms,
  preprocess_ms: Ms,
  encode_ms: Ms,
  save_ms: Ms,
  load_ms: Ms,
  ready_ms: Ms,
  batch: Type.Optional(Type.Integer()),
  tier: Type.Optional(Type.String()),
});

export const JobView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('job'),
    status: jobSchemas.JobStatus,
    stage: Type.String(),
    status_detail: Nullable(Type.String()),
    model: Type.String(),
    created_at: Type.Integer(),
    started_at: Nullable(Type.Integer()),
    finished_at: Nullable(Type.Integer()),
    priority: Type.Integer(),
    queue: Type.Optional(
      Type.Object({ position: Type.Integer(), estimated_start_s: Nullable(Type.Number()) }),
    ),
    output: Nullable(Output),
    outputs: Type.Optional(Type.Array(Output)),
    usage: Nullable(
      Type.Object({
        prompt_tokens: Type.Integer(),
        completion_tokens: Type.Integer(),
        total_tokens: Type.Integer(),
        image_tokens: Type.Integer(),
        cached_tokens: Type.Integer(),
        images: Type.Object({ encoded: Type.Integer(), reused: Type.Integer() }),
      }),
    ),
    timings: Type.Object({
      accept_ms: Ms,
      queue_ms: Ms,
      wait_for_embeddings_ms: Ms,
      prefill_ms: Ms,
      ttft_ms: Ms,
      tpot_ms: Ms,
      total_ms: Ms,
      images: Type.Array(ImageTimingsView),
    }),
    error: Nullable(
      Type.Object({
        code: Type.String(),
        message: Type.String(),
        stage: Type.String(),
        item: Nullable(Type.Integer()),
        retryable: Type.Boolean(),
      }),
    ),
    metadata: Type.Record(Type.String(), Type.String()),
    links: Type.Object({ self: Type.String(), events: Type.String(), cancel: Type.String() }),
  },
  { title: 'Job' },
);
export type JobView = Static<typeof JobView>;
