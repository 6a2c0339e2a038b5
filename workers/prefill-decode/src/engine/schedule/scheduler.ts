import type { StepRun } from '../../runner/messages.ts';
import type { Drafting } from './drafting.ts';
import type { MemoryPlan } from '../kv/memory-plan.ts';
import type { PrefillPace } from './prefill-pace.ts';
import { PrefillRoom } from './prefill-room.ts';
import { byTurn, type Sequence } from '../sequences/sequence.ts';
import type { Slots } from '../kv/slots.ts';
import { nextTokens, receive, send, type ScheduledTokens } from './scheduled-tokens.ts';
import { stepRuns } from './step-runs.ts';

/** How far a sequence may be computed with the images that have arrived. */
export interface ImageGate {
  limit(sequence: Sequence, computed: number): number;
  /** How far it could be computed with all encoded images, loaded or not. */
  reach(sequence: Sequence, computed: number): number;
  /** The sequence lost its slot: releases the memory that is reserved for its next images. */
  releaseAll(sequence: Sequence): void;
}

export interface Schedule {
  readonly runs: readonly StepRun[];
  readonly work: readonly ScheduledTokens[];
  /** Tokens of each run after those that decode. */
  readonly chunks: readonly number[];
  /** The first runs: one over all rows without drafts, and one for each row with drafts. */
  readonly decodeRuns: number;
  readonly admitted: readonly Sequence[];
  readonly decodeRows: number;
  readonly prefillTokens: number;
  /** Expected time of the chunks, in milliseconds. */
  readonly chargedMs: number;
}

/** Steps for which slots must be at least twice too long before they are shortened. */
const SHRINK_AFTER_STEPS = 32;

/**
 * Decides what each step computes: one token for every decoding sequence, and prefill chunks with
 * the rest of the token budget, within the prefill pace. Waiting sequences are queued by priority
 * and age; one that waits for an image is skipped, and is preempted when another sequence needs its
 * slot.
 *
 * A step is scheduled, then settled once it is completed. The next may be scheduled in between on
 * the assumption that it will complete: a sequence that turns out to have ended has computed one
 * token too many. That a step samples one token is certain only without drafts.
 */
export class Scheduler {
  readonly waiting: Sequence[] = [];
  readonly running: Sequence[] = [];
  preemptions = 0;
  readonly #plan: MemoryPlan;
  readonly #slots: Slots;
  readonly #gate: ImageGate;
  readonly #budget: number;
  readonly #pace: PrefillPace;
  readonly #drafting: Drafting;
  #roomySteps = 0;

  constructor(
    plan: MemoryPlan,
    slots: Slots,
    gate: ImageGate,
    limits: {
      readonly tokenBudgetPerStep: number;
      readonly pace: PrefillPace;
      readonly drafting: Drafting;
    },
  ) {
    this.#plan = plan;
    this.#slots = slots;
    this.#gate = gate;
    this.#budget = limits.tokenBudgetPerStep;
    this.#pace = limits.pace;
    this.#drafting = limits.drafting;
  }

  add(sequence: Sequence): void {
    this.#pace.begin(sequence);
    const at = this.waiting.findIndex((other) => byTurn(sequence, other) < 0);
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, sequence);
  }

  /** The next step; null when nothing can be computed. */
  schedule(): Schedule | null {
    this.#fitLengths();
    const decoding = this.running.filter(
      (sequence) => sequence.decoding && !this.#ends(sequence) && !this.#stalled(sequence),
    );
    const work: ScheduledTokens[] = decoding.map((sequence) =>
      nextTokens(
        sequence,
        1,
        this.#drafting.draftsOf(sequence, decoding.length, this.#slots.length),
      ),
    );
    const drafted = work.reduce((sum, { drafts }) => sum + drafts.length, 0);
    const room = new PrefillRoom(this.#pace, this.#budget - drafted, decoding);
    const chunk = (sequence: Sequence): void => {
      const ready = this.#gate.limit(sequence, sequence.computed) - sequence.computed;
      // All but its last token was cached: it runs with the decodes, which costs no run of its own.
      const count = sequence.decoding ? ready : room.take(sequence, ready);
      if (count > 0) work.push(nextTokens(sequence, count));
    };
    for (const sequence of this.running.toSorted(byTurn)) if (!sequence.decoding) chunk(sequence);
    const admitted = this.#admit(room, chunk);
    if (work.length === 0) return null;
    const runs = stepRuns(this.#slots, work);
    const chunks = work.filter(({ sequence }) => !sequence.decoding).map(({ count }) => count);
    for (const item of work) send(item);
    return {
      runs,
      work,
      chunks,
      admitted,
      decodeRuns: runs.length - chunks.length,
      decodeRows: work.length - chunks.length,
      prefillTokens: room.taken,
      chargedMs: this.#pace.charge(chunks),
    };
  }

  /**
   * The step is completed, with the time of each run in milliseconds: its tokens are in the KV
   * cache. Complete prompts are added to the prefix cache.
   */
  settle({ work, chunks, decodeRuns, chargedMs }: Schedule, runsMs: readonly number[]): void {
    this.#pace.learn(decodeRuns, chunks, runsMs, chargedMs);
    for (const item of work) {
      receive(item);
      const { sequence, from, count, drafts } = item;
      if (sequence.slot === null || drafts.length > 0) continue;
      sequence.cached = from + count;
      if (sequence.promptCached || sequence.cached < sequence.promptLength) continue;
      sequence.promptCached = true;
      this.#slots.cacheBlocks(sequence);
    }
  }

  /** The step failed: the content of its slots is unknown, and it yields no token. */
  abandon({ work }: Schedule): void {
    for (const item of work) receive(item);
  }

  /** Removes a sequence in any state. */
  remove(sequence: Sequence): void {
    sequence.finished = true;
    drop(this.waiting, sequence);
    drop(this.running, sequence);
    this.#slots.free(sequence);
  }

  /**
   * Preempts the sequence. It is queued again in its old place, and resumes from its cached prefix
   * blocks.
   */
  #giveUp(sequence: Sequence): void {
    drop(this.running, sequence);
    this.#slots.free(sequence);
    sequence.reached = sequence.computed;
    sequence.computed = 0;
    this.#gate.releaseAll(sequence);
    this.add(sequence);
  }

  #admit(room: PrefillRoom, chunk: (sequence: Sequence) => void): Sequence[] {
    const admitted: Sequence[] = [];
    const waiting = this.waiting.slice();
    for (const [at, sequence] of waiting.entries()) {
      const ready = this.#ready(sequence);
      if (ready === 0) continue;
      // Strictly in queue order among those that are ready: otherwise a long prompt could starve.
      const held = !room.admits(sequence, ready);
      const full = !held && !this.#makeRoomFor(sequence);
      if (held || (full && this.#complete(sequence))) {
        this.#noteReady(waiting.slice(at + 1));
        break;
      }
      if (full) continue;
      drop(this.waiting, sequence);
      this.#slots.allocate(sequence);
      this.running.push(sequence);
      sequence.reused = Math.min(sequence.computed, sequence.promptLength);
      admitted.push(sequence);
      chunk(sequence);
    }
    return admitted;
  }

  /** For those queued after a delayed one: their wait for an image does not count. */
  #noteReady(behind: readonly Sequence[]): void {
    for (const sequence of behind) if (sequence.images.length > 0) this.#ready(sequence);
  }

  /**
   * Tokens that it could compute with a slot. Also 0 where it would get no further than before,
   * because a missing image may block it.
   */
  #ready(sequence: Sequence): number {
    const cached = this.#slots.cachedPrefixTokens(sequence);
    const ready = sequence.mayStart ? this.#gate.limit(sequence, cached) - cached : 0;
    if (ready > 0 && this.#gate.reach(sequence, cached) > sequence.reached) {
      this.#pace.noteReady(sequence);
      return ready;
    }
    sequence.readySinceMs = null;
    return 0;
  }

  #complete(sequence: Sequence): boolean {
    return this.#gate.limit(sequence, this.#slots.cachedPrefixTokens(sequence)) === sequence.length;
  }

  /**
   * A free slot that is long enough; preempts a sequence that waits for an image in favour of one
   * that can run.
   */
  #makeRoomFor(sequence: Sequence): boolean {
    const length = Math.max(this.#slots.length, this.#plan.bucketFor(sequence.length));
    const slots = this.#plan.slotsAt(length);
    if (this.running.length >= slots) this.#displaceStalled(sequence);
    if (this.running.length >= slots) return false;
    if (length > this.#slots.length) this.#slots.layout(length);
    return true;
  }

  /**
   * The last in queue order of those that wait for an image to be encoded, or that rank after `by`
   * and wait for a load.
   */
  #displaceStalled(by: Sequence): void {
    const stalled = this.running.filter((sequence) => {
      if (!this.#stalled(sequence)) return false;
      const unmade = this.#gate.reach(sequence, sequence.computed) === sequence.computed;
      return unmade || byTurn(by, sequence) < 0;
    });
    const last = stalled.toSorted(byTurn).at(-1);
    if (last) this.#giveUp(last);
  }

  /** The awaited token is its last, whatever it is. */
  #ends({ generated, length, sampling }: Sequence): boolean {
    return generated >= sampling.maxTokens || length >= this.#plan.longest;
  }

  #stalled(sequence: Sequence): boolean {
    return this.#gate.limit(sequence, sequence.computed) === sequence.computed;
  }

  /**
   * Lengthens slots before a sequence outgrows them, and shortens them when they were too long for
   * many steps.
   */
  #fitLengths(): void {
    for (;;) {
      const longest = Math.max(0, ...this.running.map((sequence) => sequence.length));
      if (longest === 0) return;
      const bucket = this.#plan.bucketFor(longest);
      if (bucket <= this.#slots.length) return this.#considerShrinking(bucket);
      if (this.running.length <= this.#plan.slotsAt(bucket)) return this.#slots.layout(bucket);
      this.#preempt();
    }
  }

  #considerShrinking(bucket: number): void {
    this.#roomySteps = bucket * 2 <= this.#slots.length ? this.#roomySteps + 1 : 0;
    if (this.#roomySteps < SHRINK_AFTER_STEPS) return;
    this.#roomySteps = 0;
    this.#slots.layout(bucket);
  }

  /** Preempts the newest sequence; it resumes later from its cached prefix blocks. */
  #preempt(): void {
    const newest = this.running.toSorted(byTurn).at(-1);
    if (!newest) throw new RangeError('No sequence to preempt');
    this.preemptions++;
    this.#giveUp(newest);
  }
}

function drop(from: Sequence[], sequence: Sequence): void {
  const at = from.indexOf(sequence);
  if (at >= 0) from.splice(at, 1);
}
