import type { PromptMessage, TextPart } from './chat-template.ts';

/**
 * Keeps what users write from acting as control tokens. Before the template runs, a mark is put after
 * every character of theirs that could begin a control token; in the rendered prompt a control text
 * without a mark is then the template's own. The mark is taken out before tokenization, so the text
 * is tokenized in one piece with its surroundings, as the model saw it in training.
 *
 * Marks are two Unicode noncharacters. Where a text holds the first of them itself, an escape of the
 * same length follows it, so no text can write a mark, and guarding makes a text at most three times as
 * long whatever it holds.
 */
export interface TextGuard {
  readonly messages: readonly PromptMessage[];
  readonly unmark: (text: string) => string;
}

const LEAD = '\uFDD0';
const ESCAPE = '\uFDD1';
const GUARD = '\uFDD2';

const MARKED = new RegExp(`${LEAD}([${ESCAPE}${GUARD}])`, 'g');

export function guardText(
  messages: readonly PromptMessage[],
  controlTexts: readonly string[],
): TextGuard {
  const begins = new Set(controlTexts.flatMap(([first]) => (first === undefined ? [] : [first])));
  const dangerous = anyOf([LEAD, ...begins]);
  const guard = (text: string): string =>
    text.replace(dangerous, (character) =>
      character === LEAD ? LEAD + ESCAPE : character + LEAD + GUARD,
    );
  return { messages: messages.map((message) => withText(message, guard)), unmark };
}

const unmark = (text: string): string =>
  text.replace(MARKED, (_, kind) => (kind === ESCAPE ? LEAD : ''));

const anyOf = (characters: readonly string[]): RegExp =>
  new RegExp(characters.map((character) => RegExp.escape(character)).join('|'), 'gu');

function withText(message: PromptMessage, change: (text: string) => string): PromptMessage {
  const { content } = message;
  if (typeof content === 'string') return { ...message, content: change(content) };
  const parts = content.map((part) => (part.type === 'text' ? textPart(change(part.text)) : part));
  return { ...message, content: parts };
}

const textPart = (text: string): TextPart => ({ type: 'text', text });
