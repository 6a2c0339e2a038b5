import { parentPort } from 'node:worker_threads';
import type { Constraint } from '@epd/constraint';
import { faultOf } from './validation.ts';

/**
 * The thread that validates answers. A pattern may take unbounded time, and a thread can be killed.
 */
const port = parentPort;
if (!port) throw new Error('validation-thread.ts is started by AnswerValidator');

port.on('message', ({ constraint, text }: ToValidation) => {
  port.postMessage({ type: 'checked', fault: said(constraint, text) } satisfies FromValidation);
});

port.postMessage({ type: 'ready' } satisfies FromValidation);

function said(constraint: Constraint, text: string): string | null {
  try {
    return faultOf(constraint, text);
  } catch (error) {
    return `it cannot be validated: ${String(error)}`;
  }
}

export interface ToValidation {
  readonly constraint: Constraint;
  readonly text: string;
}

export type FromValidation =
  | { readonly type: 'ready' }
  | { readonly type: 'checked'; readonly fault: string | null };
