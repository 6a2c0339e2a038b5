import type { ECRequest } from '@epd/connector';
import type { JobUsage } from '@epd/jobs';
import type { Answer } from '../text/answer.ts';
import type { EngineEvent, EngineImage, EngineRequest } from './request.ts';
import { RequestClock } from './request-clock.ts';
import type { Sequence } from '../sequences/sequence.ts';

/** A request that the engine holds: its unfinished answers and the events to emit for it. */
export class HeldRequest {
  readonly id: string;
  readonly ec: ECRequest;
  readonly sequences: readonly Sequence[];
  readonly answers: readonly Answer[];
  readonly resumed: boolean;
  readonly clock: RequestClock;
  readonly images = new Map<string, EngineImage>();
  cachedTokens = 0;
  /** Its images were not requested from the connector yet, or must be requested again. */
  unasked = true;

  constructor(request: EngineRequest, sequences: readonly Sequence[], answers: readonly Answer[]) {
    this.id = request.id;
    this.clock = new RequestClock(request.waitedMs);
    this.ec = { id: request.id, features: request.features };
    this.sequences = sequences;
    this.answers = answers;
    this.resumed = (request.resume ?? []).some((tokens) => tokens.length > 0);
  }

  get done(): boolean {
    return this.answers.every(({ finishReason }) => finishReason !== null);
  }

  get unfinished(): readonly Sequence[] {
    return this.sequences.filter((sequence) => !sequence.finished);
  }

  /** Records how an image was loaded, once. Returns its features' events. */
  loaded(image: EngineImage): EngineEvent[] {
    if (this.images.has(image.mmHash)) return [];
    this.images.set(image.mmHash, image);
    const { mmHash, ...detail } = image;
    return this.ec.features.flatMap((feature, item): EngineEvent[] =>
      feature.mmHash === mmHash
        ? [{ type: 'stage', id: this.id, stage: 'loaded', item, detail: { mmHash, ...detail } }]
        : [],
    );
  }

  finishedEvent(): EngineEvent {
    const choices = this.answers.map(({ choice }) => choice);
    return {
      type: 'finished',
      id: this.id,
      choices,
      usage: this.#usage(choices.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0)),
      timings: this.clock.timings(this.resumed),
      images: [...this.images.values()],
    };
  }

  #usage(
    completionTokens: number,
  ): Pick<JobUsage, 'promptTokens' | 'completionTokens' | 'cachedTokens'> {
    const promptTokens = this.sequences[0]?.promptLength ?? 0;
    return { promptTokens, completionTokens, cachedTokens: this.cachedTokens };
  }
}
