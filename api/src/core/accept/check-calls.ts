import { ApiError } from '../../http/errors.ts';
import type { SubmittedMessage } from './image-sources.ts';

/** Refuses the result of a call that no earlier message made: models would make nothing of it. */
export function checkCalls(messages: readonly SubmittedMessage[]): void {
  const made = new Set<string>();
  for (const [index, { tool_calls: calls = [], tool_call_id: id }] of messages.entries()) {
    if (id !== undefined && !made.has(id)) {
      const param = `messages[${index}].tool_call_id`;
      const message = `${param}: expected the id of a call in an earlier message, got ${JSON.stringify(id)}`;
      throw new ApiError('invalid_value', message, { param });
    }
    for (const call of calls) made.add(call.id);
  }
}
