import { lastUses } from '@epd/connector';
import { Answer, endIdsOf } from '../text/answer.ts';
import type { EngineModel } from './engine-model.ts';
import { EngineError } from '../errors.ts';
import { HeldRequest } from './held-request.ts';
import { imageSpans, type ImageSpan } from '../sequences/image-span.ts';
import type { EngineRequest } from './request.ts';
import { Sequence } from '../sequences/sequence.ts';

/** What a request is held to before it is taken. */
export interface Bounds {
  /** Tokens of the longest sequence, and where the bound comes from. */
  readonly longest: number;
  readonly kvCacheBytes: number;
  readonly kvCacheTokens: number;
  readonly encoderCacheBytes: number;
  /** Bytes that an image with so many embeddings may take. */
  bytesOf(rows: number): number;
}

/** Makes a held request of what was asked. Throws `EngineError` for what can never be served. */
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
    const sequence = sequenceOf(request, images, { choice, key, leader, endIds });
    replay(answer, sequence, bounds.longest);
    sequences.push(sequence);
    answers.push(answer);
  }
  return new HeldRequest(request, sequences, answers);
}

function sequenceOf(
  request: EngineRequest,
  images: readonly ImageSpan[],
  own: Pick<Sequence, 'choice' | 'key' | 'leader' | 'endIds'>,
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

/** Brings an answer to where it was when it was last heard of. Its reader has seen it: nothing is said. */
function replay(answer: Answer, sequence: Sequence, longest: number): void {
  for (let at = sequence.promptLength; at < sequence.length; at++) {
    const piece = answer.push({ id: sequence.tokens[at] ?? 0 }, at + 1 < longest);
    if (piece.finishReason !== null) {
      sequence.finished = true;
      return;
    }
  }
}

/** Behind a whole constrained answer only end tokens are allowed: ignored, they would never end it. */
function refuseEndless({ sampling }: EngineRequest): void {
  if (sampling.constraint === undefined || !sampling.ignoreEos) return;
  const message = 'A constrained answer ends where it is whole: ignoreEos cannot be held to';
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

/** Half: a sequence that lost its slot may need its last image again, beside the one it waits for. */
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
