import { parentPort } from 'node:worker_threads';
import type { Constraint } from '@epd/constraint';
import { faultOf } from './validation.ts';

/**
 * The thread that validates answers. A pattern may take unbounded time, and a thread can be killed.
 */
const port = parentPort;
if (!port) throw new Error('validation-thread.ts is started by AnswerValidator');

/** Belongs to no answer: signals that the thread has loaded. */
const READY = -1;

port.on('message', ({ ticket, constraint, text }: ToValidation) => {
  port.postMessage({ ticket, fault: said(constraint, text) } satisfies FromValidation);
});

port.postMessage({ ticket: READY, fault: null } satisfies FromValidation);

function said(constraint: Constraint, text: string): string | null {
  try {
    return faultOf(constraint, text);
  } catch (error) {
    return `it cannot be validated: ${String(error)}`;
  }
}

export interface ToValidation {
  readonly ticket: number;
  readonly constraint: Constraint;
  readonly text: string;
}

export interface FromValidation {
  readonly ticket: number;
  readonly fault: string | null;
}
