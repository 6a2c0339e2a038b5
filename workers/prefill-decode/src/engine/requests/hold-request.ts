import { lastUses } from '@epd/connector';
import { Answer, endIdsOf } from '../text/answer.ts';
import type { DraftEnds } from '../drafts/draft-lookup.ts';
import type { EngineModel } from './engine-model.ts';
import { EngineError } from '../errors.ts';
import { HeldRequest } from './held-request.ts';
import { imageSpans, type ImageSpan } from '../sequences/image-span.ts';
import type { EngineRequest } from './request.ts';
import { Sequence } from '../sequences/sequence.ts';

/** Limits that a request is checked against. */
export interface Bounds {
  /** Maximum tokens of a sequence, and the source of the limit. */
  readonly longest: number;
  readonly kvCacheBytes: number;
  readonly kvCacheTokens: number;
  readonly encoderCacheBytes: number;
  /** Maximum bytes of an image with that many embeddings. */
  bytesOf(rows: number): number;
  /** Maximum tokens drafted for a sequence in a step; 0: none. */
  readonly draftTokens: number;
}

/** Makes a held request from a request. Throws `EngineError` for one that can never be served. */
export function holdRequest(
  request: EngineRequest,
  model: EngineModel,
  bounds: Bounds,
  nextKey: () => number,
): HeldRequest {
  refuseEndless(request);
  refuseTooLong(request, model, bounds);
  const images = imageSpans(request.tokens, request.features, model.imageTokenId);
  refuseTooLarge(images, bounds);
  const sequences: Sequence[] = [];
  const answers: Answer[] = [];
  const endIds = endIdsOf(request.sampling, model.eosTokenIds);
  for (let choice = 0; choice < request.sampling.n; choice++) {
    const answer = new Answer(
      request.sampling,
      endIds,
      model.tokenizer,
      request.parser?.(choice) ?? null,
    );
    const key = nextKey();
    const leader = sequences[0] ?? null;
    const own = { choice, key, leader, endIds };
    const draftEnds = { endIds, imageTokenId: model.imageTokenId };
    const sequence = sequenceOf(request, images, {
      ...own,
      ...(bounds.draftTokens > 0 && { draftEnds }),
    });
    replay(answer, sequence, bounds.longest);
    sequences.push(sequence);
    answers.push(answer);
  }
  return new HeldRequest(request, sequences, answers);
}

function sequenceOf(
  request: EngineRequest,
  images: readonly ImageSpan[],
  own: Pick<Sequence, 'choice' | 'key' | 'leader' | 'endIds'> & { readonly draftEnds?: DraftEnds },
): Sequence {
  return new Sequence({
    ...own,
    requestId: request.id,
    priority: request.priority ?? 0,
    scope: request.scope ?? '',
    sampling: request.sampling,
    prompt: request.tokens,
    images,
    gridPositions: request.positions ?? null,
    lastUses: lastUses(request.features),
    resume: request.resume?.[own.choice] ?? [],
  });
}

/**
 * Replays the tokens that an answer had already. Its reader has seen them: no events are emitted.
 */
function replay(answer: Answer, sequence: Sequence, longest: number): void {
  for (let at = sequence.promptLength; at < sequence.length; at++) {
    const piece = answer.push({ id: sequence.tokens[at] ?? 0 }, at + 1 < longest);
    if (piece.finishReason !== null) {
      sequence.finished = true;
      return;
    }
  }
}

/**
 * After a complete constrained answer only end tokens are allowed: if they were ignored, it would
 * never end.
 */
function refuseEndless({ sampling }: EngineRequest): void {
  if (sampling.constraint === undefined || !sampling.ignoreEos) return;
  const message =
    'A constrained answer must end when it is complete: ignoreEos is not possible with a constraint';
  throw new EngineError('invalid_request', message);
}

function refuseTooLong(request: EngineRequest, model: EngineModel, bounds: Bounds): void {
  const { longest, kvCacheBytes, kvCacheTokens } = bounds;
  const tokens = request.tokens.length;
  if (tokens === 0) throw new EngineError('invalid_request', 'The prompt has no tokens');
  if (tokens < longest) return;
  const { contextLength } = model;
  const memory = `a KV cache of ${kvCacheBytes} bytes holds ${kvCacheTokens}`;
  throw new EngineError(
    'prompt_too_long',
    `The prompt has ${tokens} tokens and needs room for at least one more: the model's context is ${contextLength} tokens, ${memory}`,
    { tokens, longest, contextLength, kvCacheBytes, kvCacheTokens },
  );
}

/** Half: a preempted sequence may need its last image again, beside the one it waits for. */
function refuseTooLarge(images: readonly ImageSpan[], bounds: Bounds): void {
  for (const { index, rows } of images) {
    const bytes = bounds.bytesOf(rows);
    if (bytes <= bounds.encoderCacheBytes / 2) continue;
    throw new EngineError(
      'image_too_large',
      `Image ${index} needs ${bytes} bytes, more than half of an encoder cache of ${bounds.encoderCacheBytes}`,
      { image: index, bytes, encoderCacheBytes: bounds.encoderCacheBytes },
    );
  }
}
