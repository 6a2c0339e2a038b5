import type { Sampling } from '@epd/jobs';
import { lastPosition, type ImageSpan } from './image-span.ts';

/**
 * One answer in the making. It is waiting (no slot, nothing computed), running (a slot whose first
 * `computed` tokens are cached) or finished. Whoever changes `slot` or `computed` is the scheduler.
 */
export class Sequence {
  readonly key: number;
  readonly requestId: string;
  readonly choice: number;
  readonly priority: number;
  readonly sampling: Sampling;
  readonly promptLength: number;
  readonly images: readonly ImageSpan[];
  /** Prompt and answer. */
  readonly tokens: number[];
  slot: number | null = null;
  computed = 0;
  finished = false;
  /** Tokens that were computed when it last lost its slot. */
  reached = 0;
  /** Prompt tokens that the last admission found cached. */
  cached = 0;
  /** The choice whose prefill this one waits for, to take the prompt over from the cache. */
  readonly leader: Sequence | null;
  /** The prompt's blocks were parked. */
  promptParked = false;
  /** Keys of the blocks of `tokens`, as far as they were needed; see `PrefixCache`. */
  readonly blockKeys: string[] = [];

  constructor(facts: {
    readonly key: number;
    readonly requestId: string;
    readonly choice: number;
    readonly priority: number;
    readonly sampling: Sampling;
    readonly prompt: readonly number[];
    readonly images: readonly ImageSpan[];
    readonly resume: readonly number[];
    readonly leader: Sequence | null;
  }) {
    this.key = facts.key;
    this.requestId = facts.requestId;
    this.choice = facts.choice;
    this.priority = facts.priority;
    this.sampling = facts.sampling;
    this.images = facts.images;
    this.leader = facts.leader;
    this.promptLength = facts.prompt.length;
    this.tokens = [...facts.prompt, ...facts.resume];
  }

  get length(): number {
    return this.tokens.length;
  }

  get generated(): number {
    return this.tokens.length - this.promptLength;
  }

  /** All but the newest token is cached: one more token gives the next. */
  get decoding(): boolean {
    return this.slot !== null && this.length - this.computed === 1;
  }

  /** False while another choice of the same request computes the prompt that both share. */
  get mayStart(): boolean {
    return this.leader === null || this.leader.promptParked || this.leader.finished;
  }

  /** Images that tokens past `computed` still need. */
  imagesAhead(computed: number): ImageSpan[] {
    return this.images.filter((image) => lastPosition(image) >= computed);
  }
}

/** Lower priority first, then first come. */
export const byTurn = (a: Sequence, b: Sequence): number =>
  a.priority - b.priority || a.key - b.key;
