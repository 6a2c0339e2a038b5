import type { PromptMessage, TextPart } from './chat-template.ts';

/**
 * Keeps what users write from acting as control tokens. Before the template runs, a mark is put after
 * every character of theirs that could begin a control token; in the rendered prompt a control text
 * without a mark is then the template's own. The mark is taken out before tokenization, so the text
 * is tokenized in one piece with its surroundings, as the model saw it in training.
 *
 * The mark is a run of a Unicode noncharacter, longer than any run that the messages hold.
 */
export interface TextGuard {
  readonly messages: readonly PromptMessage[];
  readonly unmark: (text: string) => string;
}

const NONCHARACTER = '\uFDD0';

export function guardText(
  messages: readonly PromptMessage[],
  controlTexts: readonly string[],
): TextGuard {
  const mark = NONCHARACTER.repeat(longestRun(messages) + 1);
  const begin = new Set(controlTexts.map((text) => text[0] ?? ''));
  const guard = (text: string): string => {
    const guarded = Array.from(text, (character) =>
      begin.has(character) ? character + mark : character,
    );
    return guarded.join('');
  };
  return {
    messages: messages.map((message) => withText(message, guard)),
    unmark: (text) => text.replaceAll(mark, ''),
  };
}

/** Counted over all the texts joined, for a template may put them side by side. */
function longestRun(messages: readonly PromptMessage[]): number {
  const all: string[] = [];
  for (const message of messages) {
    withText(message, (text) => {
      all.push(text);
      return text;
    });
  }
  const runs = all.join('').match(new RegExp(`${NONCHARACTER}+`, 'g')) ?? [];
  return Math.max(0, ...runs.map((run) => run.length));
}

function withText(message: PromptMessage, change: (text: string) => string): PromptMessage {
  const { content } = message;
  if (typeof content === 'string') return { ...message, content: change(content) };
  const parts = content.map((part) => (part.type === 'text' ? textPart(change(part.text)) : part));
  return { ...message, content: parts };
}

const textPart = (text: string): TextPart => ({ type: 'text', text });
