export { JobsError, PlaceError, RecordError } from './errors.ts';
export { Admission, type AdmittedWork, type Excess, type JobCost } from './admission.ts';
export { skippedIds } from './skipped-ids.ts';
export * as jobSchemas from './job.ts';
export type {
  ChatMessage,
  Choice,
  Ending,
  FinishReason,
  ImageNote,
  ImageTimings,
  Job,
  JobError,
  JobImage,
  JobRequest,
  JobStatus,
  JobTimings,
  JobUsage,
  ParsedOutput,
  Sampling,
  TerminalStatus,
  TokenLogprob,
} from './job.ts';
export { JobTools, type ToolCall, type ToolFunction } from './tools.ts';
export type { JobEvent, OutputDelta, SequencedEvent, Stage } from './job-event.ts';
export { GREEDY } from './greedy.ts';
export { DAMAGED_ENDING } from './damaged-record.ts';
export { queuePlace, waitingKey } from './generate-queues.ts';
export { jobKeys, type JobKeys } from './job-keys.ts';
export type {
  Claim,
  CreateResult,
  EarlierUse,
  JobStore,
  ListOptions,
  NewJob,
  StageNote,
} from './job-store.ts';
export { RedisJobStore, type JobStoreOptions } from './redis-job-store.ts';
export { Reconciler, type ReconcilerOptions } from './reconciler.ts';
