import type { OutputDelta, ParsedOutput, ToolCall } from '@epd/jobs';

/** What an answer's deltas add up to. */
export class OutputRecord {
  #content = '';
  #reasoning = '';
  #reasoningTokens = 0;
  readonly #calls: ToolCall[] = [];

  get output(): ParsedOutput {
    return {
      content: this.#content,
      reasoning: this.#reasoning,
      reasoningTokens: this.#reasoningTokens,
      toolCalls: this.#calls,
    };
  }

  /** What one token let out. */
  add(deltas: readonly OutputDelta[], isReasoning: boolean): void {
    if (isReasoning) this.#reasoningTokens += 1;
    for (const delta of deltas) this.#add(delta);
  }

  #add(delta: OutputDelta): void {
    if (delta.type === 'tool_call') this.#addToCall(delta);
    else if (delta.type === 'content') this.#content += delta.text;
    else this.#reasoning += delta.text;
  }

  #addToCall(delta: Extract<OutputDelta, { type: 'tool_call' }>): void {
    const { index, id = '', name = '', arguments: text } = delta;
    const call = this.#calls[index] ?? { id, name, arguments: '' };
    this.#calls[index] = { ...call, arguments: call.arguments + text };
  }
}
