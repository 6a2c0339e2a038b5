import type { JobError } from '@epd/jobs';
import type { OpenSequence, Sampled, SamplingFailure } from '../../runner/messages.ts';
import type { HeldRequest } from './held-request.ts';
import type { Outbox } from './outbox.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import type { Sequence } from '../sequences/sequence.ts';

/** Sequences that the runner is to begin or to stop sampling for. */
export interface SamplerChanges {
  readonly open: readonly OpenSequence[];
  readonly close: readonly number[];
}

/**
 * The requests that the engine holds, and the only place where one of them ends: finished, failed or
 * dropped. Each way frees its slots, its images and its samplers, and each but the last is told.
 */
export class RequestBook {
  readonly #scheduler: Scheduler;
  readonly #outbox: Outbox;
  /** Lets go what a request holds outside: embeddings and the connector's interest. */
  readonly #letGo: (held: HeldRequest) => void;
  readonly #held = new Map<string, HeldRequest>();
  readonly #bySequence = new Map<number, HeldRequest>();
  #open: OpenSequence[] = [];
  #close: number[] = [];

  constructor(scheduler: Scheduler, outbox: Outbox, letGo: (held: HeldRequest) => void) {
    this.#scheduler = scheduler;
    this.#outbox = outbox;
    this.#letGo = letGo;
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

  /** A token has come. `mayGoOn(length)`: is there room for one more behind so many? */
  take(sampled: Sampled, mayGoOn: (length: number) => boolean): void {
    const held = this.#bySequence.get(sampled.sequence);
    const sequence = held?.sequences.find(({ key }) => key === sampled.sequence);
    const answer = sequence && held?.answers[sequence.choice];
    // Dropped while the step was made.
    if (!held || !sequence || !answer) return;
    if (held.clock.token(sequence.choice) && !held.resumed) {
      this.#outbox.add({ type: 'stage', id: held.id, stage: 'first_token' });
    }
    sequence.tokens.push(sampled.id);
    const { finishReason, ...piece } = answer.push(sampled, mayGoOn(sequence.tokens.length));
    if (piece.ids.length > 0 || piece.text !== '') {
      this.#outbox.add({ type: 'tokens', id: held.id, choice: sequence.choice, ...piece });
    }
    if (finishReason === null) return;
    this.#stop(sequence);
    if (held.done) this.#finish(held);
  }

  /** One answer cannot be held to what was asked of it: its request ends. */
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
    this.#letGo(held);
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
