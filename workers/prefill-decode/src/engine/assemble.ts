import { EncoderCacheManager } from '@epd/connector';
import type { Runner } from '../runner/runner.ts';
import type { Bounds } from './requests/hold-request.ts';
import type { EngineOptions } from './engine-options.ts';
import type { EngineModel } from './requests/engine-model.ts';
import { ImageRounds } from './images/image-rounds.ts';
import { EmbeddingLoader, type ECConnector } from './images/embedding-loader.ts';
import { LocalConnector } from './images/local-connector.ts';
import { MemoryPlan } from './kv/memory-plan.ts';
import { Outbox } from './requests/outbox.ts';
import { PrefillPace } from './schedule/prefill-pace.ts';
import { PrefixCache } from './kv/prefix-cache.ts';
import { RequestBook } from './requests/request-book.ts';
import { allowedDrafts } from './drafts/allowed-drafts.ts';
import { DRAFT_ROWS_MAX, Drafting } from './schedule/drafting.ts';
import { Scheduler } from './schedule/scheduler.ts';
import type { Sequence } from './sequences/sequence.ts';
import { Slots } from './kv/slots.ts';

/**
 * Room for a prefill chunk beside a full decode batch with its drafts: below it, prompts would wait until answers
 * end.
 */
const CHUNK_ROOM = 32;

const NO_PACE = { share: 1, waitMs: 0 };

export type EngineParts = ReturnType<typeof assemble>;

/** Assembles the parts of the engine. */
export function assemble(options: EngineOptions, model: EngineModel, runner: Runner) {
  const { kvCacheBytes, encoderCacheBytes, maxBatch, logger } = options;
  const { kv, abilities, embeddingWidth } = runner.facts;
  const { contextLength } = model;
  const draftTokens = allowedDrafts(options.draftTokens ?? 0, runner.facts);
  const plan = new MemoryPlan({ kv, abilities, kvCacheBytes, maxBatch, contextLength });
  const prefixes = new PrefixCache();
  const slots = new Slots(plan, prefixes);
  const connector = options.connector ?? localConnector(options);
  const intake = new EmbeddingLoader(
    connector,
    new EncoderCacheManager<Sequence>(encoderCacheBytes),
    runner,
    embeddingWidth,
  );
  const drafting = new Drafting(draftTokens);
  const scheduler = new Scheduler(plan, slots, intake, {
    tokenBudgetPerStep: Math.max(
      options.tokenBudgetPerStep,
      maxBatch + CHUNK_ROOM + DRAFT_ROWS_MAX * draftTokens,
    ),
    pace: new PrefillPace(options.pace ?? NO_PACE),
    drafting,
  });
  const outbox = new Outbox((error) => logger?.error({ err: error }, 'engine listener threw'));
  const book = new RequestBook(scheduler, outbox, (held) => {
    for (const sequence of held.sequences) intake.releaseAll(sequence);
    connector.scheduler.requestFinished(held.ec);
  });
  const rounds = new ImageRounds(connector, { intake, book, slots, outbox });
  const bounds: Bounds = {
    longest: plan.longest,
    kvCacheBytes,
    kvCacheTokens: plan.affordable,
    encoderCacheBytes,
    bytesOf: (rows) => intake.bytesOf(rows),
    draftTokens,
  };
  return {
    plan,
    prefixes,
    slots,
    connector,
    intake,
    drafting,
    scheduler,
    outbox,
    book,
    rounds,
    bounds,
  };
}

function localConnector({ embeddings }: EngineOptions): ECConnector {
  const local = new LocalConnector(embeddings);
  return { scheduler: local, worker: local };
}
