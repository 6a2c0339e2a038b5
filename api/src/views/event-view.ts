import type { SequencedEvent } from '@epd/jobs';
import { snakeCase } from './snake-case.ts';

/** A job's event as its stream shows it: the same fields, in snake case. */
export const eventView = (event: SequencedEvent): unknown => snakeCase(event);
