import type { JobError } from '@epd/jobs';
import type { OpenSequence, Sampled, SamplingFailure } from '../../runner/messages.ts';
import type { AnswerPiece } from '../text/answer.ts';
import type { HeldRequest } from './held-request.ts';
import type { Outbox } from './outbox.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import type { Sequence } from '../sequences/sequence.ts';

/** Sequences that the runner must open or close. */
export interface SamplerChanges {
  readonly open: readonly OpenSequence[];
  readonly close: readonly number[];
}

/**
 * The requests that the engine holds, and the only place where one of them ends: finished, failed
 * or dropped. Each ending frees its slots, images and samplers; finished and failed emit an event.
 */
export class RequestBook {
  readonly #scheduler: Scheduler;
  readonly #outbox: Outbox;
  /** Releases what a request holds elsewhere: embeddings and the connector's waiter entries. */
  readonly #release: (held: HeldRequest) => void;
  readonly #held = new Map<string, HeldRequest>();
  readonly #bySequence = new Map<number, HeldRequest>();
  #open: OpenSequence[] = [];
  #close: number[] = [];

  constructor(scheduler: Scheduler, outbox: Outbox, release: (held: HeldRequest) => void) {
    this.#scheduler = scheduler;
    this.#outbox = outbox;
    this.#release = release;
  }

  get size(): number {
    return this.#held.size;
  }

  get all(): HeldRequest[] {
    return [...this.#held.values()];
  }

  get(id: string): HeldRequest | undefined {
    return this.#held.get(id);
  }

  of(sequence: Sequence): HeldRequest | undefined {
    return this.#bySequence.get(sequence.key);
  }

  add(held: HeldRequest): void {
    this.#held.set(held.id, held);
    for (const sequence of held.unfinished) {
      this.#bySequence.set(sequence.key, held);
      this.#open.push(openSequence(sequence));
      this.#scheduler.add(sequence);
    }
    if (held.done) this.#finish(held);
  }

  takeSamplerChanges(): SamplerChanges {
    const changes = { open: this.#open, close: this.#close };
    this.#open = [];
    this.#close = [];
    return changes;
  }

  /**
   * Processes a sampled token. `mayContinue(length)`: is there room for another token after
   * `length`?
   */
  take(sampled: Sampled, mayContinue: (length: number) => boolean): void {
    const held = this.#bySequence.get(sampled.sequence);
    const sequence = held?.sequences.find(({ key }) => key === sampled.sequence);
    const answer = sequence && held?.answers[sequence.choice];
    // The request was dropped during the step.
    if (!held || !sequence || !answer) return;
    if (held.clock.token(sequence.choice) && !held.resumed) {
      this.#outbox.add({ type: 'stage', id: held.id, stage: 'first_token' });
    }
    sequence.push(sampled.id);
    const { finishReason, ...piece } = answer.push(sampled, mayContinue(sequence.tokens.length));
    if (!isEmpty(piece)) {
      this.#outbox.add({ type: 'tokens', id: held.id, choice: sequence.choice, ...piece });
    }
    if (finishReason === null) return;
    this.#stop(sequence);
    if (held.done) this.#finish(held);
  }

  /** One answer cannot satisfy its constraint any more: its request fails. */
  takeFailure({ sequence, code, message }: SamplingFailure): void {
    const held = this.#bySequence.get(sequence);
    const retryable = code === 'constraint_lost' || code === 'constraint_replaced';
    if (held) this.fail(held, { code, message, stage: 'decode', item: null, retryable });
  }

  fail(held: HeldRequest, error: JobError): void {
    this.drop(held);
    this.#outbox.add({ type: 'failed', id: held.id, error });
  }

  drop(held: HeldRequest): void {
    for (const sequence of held.unfinished) this.#stop(sequence);
    this.#held.delete(held.id);
    this.#release(held);
  }

  #finish(held: HeldRequest): void {
    this.drop(held);
    this.#outbox.add(held.finishedEvent());
  }

  #stop(sequence: Sequence): void {
    this.#scheduler.remove(sequence);
    this.#bySequence.delete(sequence.key);
    this.#close.push(sequence.key);
  }
}

/** The end of an answer may release what its parser held back, without any text. */
const isEmpty = ({ ids, text, deltas = [] }: Omit<AnswerPiece, 'finishReason'>): boolean =>
  ids.length === 0 && text === '' && deltas.length === 0;

function openSequence(sequence: Sequence): OpenSequence {
  return {
    sequence: sequence.key,
    choice: sequence.choice,
    sampling: sequence.sampling,
    endIds: sequence.endIds,
    prompt: sequence.tokens.slice(0, sequence.promptLength),
    generated: sequence.tokens.slice(sequence.promptLength),
  };
}
