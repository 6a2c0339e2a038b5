import type { Choice, OutputDelta, ParsedOutput, SequencedEvent, ToolCall } from '@epd/jobs';

/** What a job has written so far, from its stream: for one that has no ending, or none with a text. */
export function partialChoices(
  events: readonly SequencedEvent[],
  n: number,
  finishReason: Choice['finishReason'],
): Choice[] {
  const written = Array.from({ length: n }, () => ({
    text: '',
    tokenIds: [] as number[],
    deltas: [] as OutputDelta[],
  }));
  for (const event of events) {
    if (event.type !== 'tokens') continue;
    const choice = written[event.choice];
    if (choice === undefined) continue;
    choice.text += event.text;
    choice.tokenIds.push(...event.ids);
    choice.deltas.push(...(event.deltas ?? []));
  }
  return written.map(({ text, tokenIds, deltas }) => {
    const choice = { text, tokenIds, finishReason };
    return deltas.length === 0 ? choice : Object.assign(choice, { output: parsedOutput(deltas) });
  });
}

/** How many tokens reasoning took is known at the end alone. */
function parsedOutput(deltas: readonly OutputDelta[]): ParsedOutput {
  const toolCalls: ToolCall[] = [];
  let content = '';
  let reasoning = '';
  for (const delta of deltas) {
    if (delta.type === 'tool_call') {
      const { index, id = '', name = '', arguments: text } = delta;
      const call = toolCalls[index] ?? { id, name, arguments: '' };
      toolCalls[index] = { ...call, arguments: call.arguments + text };
    } else if (delta.type === 'content') content += delta.text;
    else reasoning += delta.text;
  }
  return { content, reasoning, reasoningTokens: 0, toolCalls };
}
