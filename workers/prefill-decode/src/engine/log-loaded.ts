import type { RunnerFacts } from '../runner/messages.ts';
import type { EngineOptions } from './engine-options.ts';

/** Logs what was loaded, and what of the options the model does not allow. */
export function logLoaded(
  { logger, draftTokens: wanted = 0 }: EngineOptions,
  facts: RunnerFacts,
  bounds: { readonly longest: number; readonly draftTokens: number },
): void {
  const { longest, draftTokens } = bounds;
  const told = { ...facts, longest, draftTokens };
  if (facts.rewritten) logger?.info(told, 'decoder loaded');
  else logger?.warn(told, 'decoder graph was not rewritten; it runs as exported, which is slower');
  if (draftTokens === wanted) return;
  logger?.warn(
    { chunkDifference: facts.chunkDifference },
    'no tokens are drafted: what this decoder computes for a token depends on those beside it',
  );
}
