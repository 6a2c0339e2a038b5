import { InputRef } from '@epd/connector';
import { Type, type Static } from 'typebox';
import { JobConstraint } from './job-constraint.ts';
import { JobTools, ToolCall } from './tools.ts';

/** The status of a job. The last four are terminal: a job enters exactly one of them, once. */
export const JobStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('in_progress'),
  Type.Literal('completed'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('expired'),
]);
export type JobStatus = Static<typeof JobStatus>;
export type TerminalStatus = Exclude<JobStatus, 'queued' | 'in_progress'>;

export const TextPart = Type.Object({ type: Type.Literal('text'), text: Type.String() });
/** `image` is an index into the request's `images`. */
export const ImagePart = Type.Object({
  type: Type.Literal('image'),
  image: Type.Integer({ minimum: 0 }),
});

export const ChatMessage = Type.Object({
  role: Type.Union([
    Type.Literal('system'),
    Type.Literal('user'),
    Type.Literal('assistant'),
    Type.Literal('tool'),
  ]),
  content: Type.Union([Type.String(), Type.Array(Type.Union([TextPart, ImagePart]))]),
  /** Of an assistant: what it thought, and the calls that it made. */
  reasoning: Type.Optional(Type.String()),
  toolCalls: Type.Optional(Type.Array(ToolCall)),
  /** Of a tool: the call that it answers. */
  toolCallId: Type.Optional(Type.String()),
});
export type ChatMessage = Static<typeof ChatMessage>;

export const Sampling = Type.Object({
  maxTokens: Type.Integer({ minimum: 1 }),
  temperature: Type.Number({ minimum: 0 }),
  topP: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
  /** 0: unlimited. */
  topK: Type.Integer({ minimum: 0 }),
  minP: Type.Number({ minimum: 0, maximum: 1 }),
  repetitionPenalty: Type.Number({ exclusiveMinimum: 0 }),
  presencePenalty: Type.Number(),
  frequencyPenalty: Type.Number(),
  /**
   * Always set: a request without one gets a random one, so that a resumed job continues
   * identically.
   */
  seed: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }),
  stop: Type.Array(Type.String({ minLength: 1 })),
  ignoreEos: Type.Boolean(),
  /** Added to the logits of tokens, before everything else. */
  logitBias: Type.Optional(Type.Array(Type.Tuple([Type.Integer({ minimum: 0 }), Type.Number()]))),
  /** Minimum tokens: before that only a full context ends the answer. */
  minTokens: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Tokens that end the answer as the model's end tokens do; they are not part of it. */
  stopTokenIds: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
  /** Number of answers to the prompt. */
  n: Type.Integer({ minimum: 1 }),
  /** Null: none. Otherwise the number of alternatives per token; 0: only the chosen token. */
  topLogprobs: Type.Union([Type.Null(), Type.Integer({ minimum: 0, maximum: 20 })]),
  /** The constraint of the text; absent: free text. */
  constraint: Type.Optional(JobConstraint),
});
export type Sampling = Static<typeof Sampling>;

/** One distinct image of a job. */
export const JobImage = Type.Object({
  mmHash: Type.String(),
  input: InputRef,
  /** Visual tokens: the rows of its embedding. */
  tokens: Type.Integer({ minimum: 1 }),
  /**
   * What the API found: already stored, being encoded for another job, or requested for this job.
   */
  found: Type.Union([
    Type.Literal('stored'),
    Type.Literal('joined'),
    Type.Literal('requested'),
    Type.Literal('resident'),
  ]),
  generation: Type.Integer({ minimum: 0 }),
});
export type JobImage = Static<typeof JobImage>;

/**
 * Everything that a prefill/decode worker needs for the answer: written once, when the job is
 * accepted.
 */
export const JobRequest = Type.Object({
  v: Type.Literal(1),
  model: Type.String(),
  fingerprint: Type.String(),
  messages: Type.Array(ChatMessage),
  /** The text of the single message is the prompt: no chat template is applied. */
  raw: Type.Optional(Type.Literal(true)),
  images: Type.Array(JobImage),
  sampling: Sampling,
  /** Absent: none may be called, and the prompt shows none. */
  tools: Type.Optional(JobTools),
  /** What the model's chat template is given beside messages, such as `enable_thinking`. */
  templateOptions: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
  ),
  returnTokenIds: Type.Boolean(),
  /** Lower runs first; 0 is the default. */
  priority: Type.Integer({ minimum: -100, maximum: 100 }),
  /**
   * Milliseconds since the epoch; null: none. After the first, a job that has not started expires.
   */
  startByMs: Type.Union([Type.Null(), Type.Number()]),
  endByMs: Type.Union([Type.Null(), Type.Number()]),
  traceparent: Type.Optional(Type.String()),
});
export type JobRequest = Static<typeof JobRequest>;

export const JobError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  /** Where it happened: accept, encode, load, prefill, decode. */
  stage: Type.String(),
  /** Index of the image concerned, or null. */
  item: Type.Union([Type.Null(), Type.Integer()]),
  retryable: Type.Boolean(),
});
export type JobError = Static<typeof JobError>;

export type FinishReason = 'stop' | 'length' | 'cancelled' | 'error';

/** An answer's text, told apart by kind. */
export interface ParsedOutput {
  readonly content: string;
  readonly reasoning: string;
  /** Tokens that it took, its marks among them. */
  readonly reasoningTokens: number;
  readonly toolCalls: readonly ToolCall[];
}

export interface Choice {
  /** As the model wrote it, markup and all. */
  readonly text: string;
  /** Where the text was parsed; absent: all of it is content. */
  readonly output?: ParsedOutput;
  readonly finishReason: FinishReason | null;
  /** The caller's stop string, or token, that ended it; absent: it ended otherwise. */
  readonly stoppedBy?: string | number;
  readonly tokenIds: readonly number[];
  readonly logprobs?: readonly TokenLogprob[];
}

export interface TokenLogprob {
  readonly id: number;
  readonly token: string;
  readonly logprob: number;
  readonly top: readonly {
    readonly id: number;
    readonly token: string;
    readonly logprob: number;
  }[];
}

/** How one image reached the answer. Milliseconds; stages that did not happen are absent. */
export interface ImageTimings {
  readonly mmHash: string;
  /** `encoded` for this job, `joined` another's encode, `stored` already, or in the `kv_cache`. */
  source: 'encoded' | 'joined' | 'stored' | 'kv_cache';
  queueMs?: number;
  preprocessMs?: number;
  encodeMs?: number;
  saveMs?: number;
  batch?: number;
  loadMs?: number;
  /** From acceptance until the decoder had the embedding. */
  readyMs?: number;
  tier?: string;
}

/** Milliseconds from acceptance, or durations where the name says so. */
export interface JobTimings {
  acceptMs?: number;
  /**
   * Until a worker had a slot for it, excluding the time in which another worker emitted tokens.
   */
  queueMs?: number;
  /** How long prefill was blocked waiting for an embedding. */
  waitForEmbeddingsMs?: number;
  prefillMs?: number;
  ttftMs?: number;
  /** Mean time per output token (TPOT) after the first. */
  tpotMs?: number;
  totalMs?: number;
  images?: ImageTimings[];
}

export interface JobUsage {
  promptTokens: number;
  completionTokens: number;
  imageTokens: number;
  /** Prompt tokens served from the prefix cache. */
  cachedTokens: number;
  images: { encoded: number; reused: number };
}

/** How a job ends. */
export interface Ending {
  readonly status: TerminalStatus;
  readonly choices: readonly Choice[];
  readonly usage: JobUsage | null;
  readonly timings: JobTimings;
  readonly error: JobError | null;
}

/** An encoder's note about one image of the job. Milliseconds; `ms` since acceptance. */
export interface ImageNote {
  readonly item: number;
  readonly stage: string;
  readonly ms: number;
  readonly [detail: string]: unknown;
}

/** The durable record, as any replica reads it. */
export interface Job {
  readonly id: string;
  readonly tenant: string;
  readonly status: JobStatus;
  readonly createdAtMs: number;
  /** First claimed by a worker. */
  readonly startedAtMs: number | null;
  /** First prefill. */
  readonly begunAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly request: JobRequest;
  /** The last stage event: the current stage of a job that is not terminal. */
  readonly stage: string;
  readonly imageNotes: readonly ImageNote[];
  readonly ending: Ending | null;
  readonly webhook: { readonly url: string; readonly events: readonly string[] } | null;
}
