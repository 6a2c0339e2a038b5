import { jobSchemas } from '@epd/jobs';
import { Type, type Static } from 'typebox';
import { ChatMessageBody } from './chat.ts';
import { EXAMPLES } from './examples.ts';
import { SamplingBody } from './sampling.ts';

const MAX_MESSAGES = 2_000;
const MAX_METADATA = 16;
/** A week: longer than any retention; past it a deadline is a mistake. */
const MAX_DEADLINE_S = 7 * 24 * 3600;

const WebhookEvent = Type.Union([
  Type.Literal('job.completed'),
  Type.Literal('job.failed'),
  Type.Literal('job.cancelled'),
  Type.Literal('job.expired'),
]);

export const Metadata = Type.Record(
  Type.String({ maxLength: 64 }),
  Type.String({ maxLength: 512 }),
  { maxProperties: MAX_METADATA, description: 'Yours; handed back as it is.' },
);

export const Messages = Type.Array(ChatMessageBody, { minItems: 1, maxItems: MAX_MESSAGES });

export const JobBody = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    messages: Messages,
    ...SamplingBody.properties,
    return_token_ids: Type.Optional(Type.Boolean()),
    priority: Type.Optional(
      Type.Integer({ minimum: -100, maximum: 100, description: 'Lower runs first. Default 0.' }),
    ),
    metadata: Type.Optional(Metadata),
    start_within_s: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_DEADLINE_S,
        description: 'A job that has not begun by then expires.',
      }),
    ),
    finish_within_s: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_DEADLINE_S,
        description: 'A job that has not ended by then expires, with what it has written so far.',
      }),
    ),
    webhook: Type.Optional(
      Type.Object({
        url: Type.String({ minLength: 1, maxLength: 2_000 }),
        events: Type.Optional(
          Type.Array(WebhookEvent, { minItems: 1, description: 'Default: all of them.' }),
        ),
      }),
    ),
  },
  { additionalProperties: false, title: 'NewJob', examples: EXAMPLES.job },
);
export type JobBody = Static<typeof JobBody>;

const Nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);

const Output = Type.Object({
  text: Type.String(),
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
