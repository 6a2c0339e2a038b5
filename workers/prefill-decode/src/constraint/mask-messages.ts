import type { MessagePort } from 'node:worker_threads';
import type { Constraint, ConstraintErrorCode, ConstraintLimits } from '@epd/constraint';

/** Messages between the main thread, the runner and the mask thread. */

export interface MaskThreadOptions {
  readonly modelFolder: string;
  readonly limits: ConstraintLimits;
}

/** From the main thread. */
export type ToMaskThread =
  | { readonly type: 'compile'; readonly ticket: number; readonly constraint: Constraint }
  | { readonly type: 'runner'; readonly port: MessagePort };

/** How the runner comes to masks, from one mask thread. */
export interface MaskConnection {
  readonly port: MessagePort;
  /** Size of the vocabulary. */
  readonly tokens: number;
  /** The longest that a step waits for one mask. */
  readonly limitMs: number;
  /** Of a `MaskLink`. */
  readonly link: SharedArrayBuffer;
}

export type FromMaskThread =
  /** `tokens`: the size of the vocabulary. */
  | { readonly type: 'ready'; readonly tokens: number }
  | { readonly type: 'compiled'; readonly ticket: number; readonly refused: Refused | null };

export interface Refused {
  readonly code: ConstraintErrorCode;
  readonly message: string;
}

/** From the runner: events of sequences, in order. */
export type ToMasks =
  | {
      readonly type: 'open';
      readonly sequence: number;
      readonly constraint: Constraint;
      readonly memory: SharedArrayBuffer;
    }
  | { readonly type: 'accept'; readonly sequence: number; readonly id: number }
  | { readonly type: 'close'; readonly sequence: number };
