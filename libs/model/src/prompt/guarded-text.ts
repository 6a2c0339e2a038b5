import type {
  Conversation,
  PromptMessage,
  PromptTool,
  PromptToolCall,
  TextPart,
} from './chat-template.ts';

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
  readonly tools: readonly PromptTool[];
  readonly unmark: (text: string) => string;
}

const LEAD = '\uFDD0';
const ESCAPE = '\uFDD1';
const GUARD = '\uFDD2';

const MARKED = new RegExp(`${LEAD}([${ESCAPE}${GUARD}])`, 'g');

export function guardText(
  { messages, tools = [] }: Conversation,
  controlTexts: readonly string[],
): TextGuard {
  const begins = new Set(controlTexts.flatMap(([first]) => (first === undefined ? [] : [first])));
  const dangerous = anyOf([LEAD, ...begins]);
  const guard = (text: string): string =>
    text.replace(dangerous, (character) =>
      character === LEAD ? LEAD + ESCAPE : character + LEAD + GUARD,
    );
  return {
    messages: messages.map((message) => withText(message, guard)),
    tools: tools.map((tool) => deep(tool, guard) as PromptTool),
    unmark,
  };
}

const unmark = (text: string): string =>
  text.replace(MARKED, (_, kind) => (kind === ESCAPE ? LEAD : ''));

const anyOf = (characters: readonly string[]): RegExp =>
  new RegExp(characters.map((character) => RegExp.escape(character)).join('|'), 'gu');

function withText(message: PromptMessage, change: (text: string) => string): PromptMessage {
  const { content, reasoning, toolCalls, toolCallId } = message;
  return {
    ...message,
    content:
      typeof content === 'string' ? change(content) : content.map((part) => inPart(part, change)),
    ...(reasoning === undefined ? {} : { reasoning: change(reasoning) }),
    ...(toolCallId === undefined ? {} : { toolCallId: change(toolCallId) }),
    ...(toolCalls === undefined
      ? {}
      : { toolCalls: toolCalls.map((call) => inCall(call, change)) }),
  };
}

/** Of JSON the texts are guarded, not what holds them together: it is to stay JSON. */
function inCall(call: PromptToolCall, change: (text: string) => string): PromptToolCall {
  return {
    id: change(call.id),
    name: change(call.name),
    arguments: inJson(call.arguments, change),
  };
}

function inJson(json: string, change: (text: string) => string): string {
  try {
    return JSON.stringify(deep(JSON.parse(json), change));
  } catch {
    return change(json);
  }
}

type Part = Exclude<PromptMessage['content'], string>[number];

const inPart = (part: Part, change: (text: string) => string): Part =>
  part.type === 'text' ? textPart(change(part.text)) : part;

/** Keys are a caller's text too. */
function deep(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => deep(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [change(key), deep(item, change)]),
  );
}

const textPart = (text: string): TextPart => ({ type: 'text', text });
