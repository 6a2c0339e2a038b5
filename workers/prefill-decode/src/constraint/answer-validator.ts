import type { Constraint } from '@epd/constraint';
import { ValidationLane } from './validation-lane.ts';

export interface ValidationLimits {
  /** Over this, in milliseconds, a check moves to the lane of the slow, and delays no quick one any more. */
  readonly quickMs: number;
  /** Over this it has failed. */
  readonly slowMs: number;
}

/** A legitimate check takes some milliseconds, on a starved machine some hundred. */
const LIMITS: ValidationLimits = { quickMs: 500, slowMs: 10_000 };

/**
 * Validates constrained answers in separate threads before they are reported as completed. A pattern that
 * backtracks for ever fails its own answer, and holds up others for half a second.
 */
export class AnswerValidator {
  readonly #quick: ValidationLane;
  readonly #slow: ValidationLane;

  constructor({ quickMs, slowMs }: ValidationLimits = LIMITS) {
    this.#quick = new ValidationLane(quickMs);
    this.#slow = new ValidationLane(slowMs);
  }

  /** The validation error of the answer; null if it is valid. */
  async faultOf(constraint: Constraint, text: string): Promise<string | null> {
    const quick = await this.#quick.check(constraint, text);
    if ('fault' in quick) return quick.fault;
    const slow = await this.#slow.check(constraint, text);
    return 'fault' in slow ? slow.fault : slow.unchecked;
  }

  async close(): Promise<void> {
    await Promise.all([this.#quick.close(), this.#slow.close()]);
  }
}
