import type { SequencedEvent } from '@epd/jobs';
import { snakeCase } from '../../http/snake-case.ts';

/** A job's event as its stream shows it: the same fields, in snake case. Only stages have others. */
export const eventView = (event: SequencedEvent): unknown =>
  event.type === 'stage' ? snakeCase(event) : event;
