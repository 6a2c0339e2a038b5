import {
  allow,
  ConstraintError,
  type ConstraintCompiler,
  type Machine,
  type State,
  type TokenBytes,
} from '@epd/constraint';
import type { ToMasks } from './mask-messages.ts';
import { BROKEN, SharedMask, TOO_COMPLEX } from './shared-mask.ts';

interface Held {
  readonly machine: Machine;
  readonly shared: SharedMask;
  state: State;
  accepted: number;
}

/**
 * Holds the state of each constrained sequence and computes its next mask as soon as its token is
 * known.
 */
export class MaskServer {
  readonly #compiler: ConstraintCompiler;
  readonly #tokens: TokenBytes;
  readonly #ends: ReadonlySet<number>;
  readonly #held = new Map<number, Held>();

  constructor(compiler: ConstraintCompiler, tokens: TokenBytes, endTokens: readonly number[]) {
    this.#compiler = compiler;
    this.#tokens = tokens;
    this.#ends = new Set(endTokens);
  }

  take(message: ToMasks): void {
    switch (message.type) {
      case 'open':
        return this.#open(message);
      case 'accept':
        return this.#accept(message.sequence, message.id);
      case 'close':
        this.#held.delete(message.sequence);
    }
  }

  #open({ sequence, constraint, memory }: Extract<ToMasks, { type: 'open' }>): void {
    const shared = new SharedMask(memory);
    try {
      const machine = this.#compiler.compile(constraint);
      const held = { machine, shared, state: machine.start, accepted: 0 };
      this.#held.set(sequence, held);
      this.#publish(held);
    } catch (error) {
      shared.publish(faultOf(error));
    }
  }

  #accept(sequence: number, id: number): void {
    const held = this.#held.get(sequence);
    if (!held) return;
    held.accepted++;
    try {
      if (!this.#ends.has(id)) held.state = this.#next(held, id);
      if (held.state.length === 0) held.shared.publish(BROKEN);
      else this.#publish(held);
    } catch (error) {
      held.shared.publish(faultOf(error));
    }
  }

  #next({ machine, state }: Held, id: number): State {
    const bytes = this.#tokens[id] ?? null;
    return bytes === null ? [] : machine.accept(state, bytes);
  }

  /** A resumed answer accepts many tokens at once: only the last one's mask is needed. */
  #publish({ machine, shared, state, accepted }: Held): void {
    if (shared.wanted > accepted) return;
    machine.fillMask(state, shared.mask);
    if (machine.isDone(state)) for (const id of this.#ends) allow(shared.mask, id);
    shared.publish(accepted);
  }
}

function faultOf(error: unknown): number {
  if (error instanceof ConstraintError) return TOO_COMPLEX;
  throw error;
}
