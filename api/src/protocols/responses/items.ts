import { isFrame, type InputRef } from '@epd/connector';
import type { ChatMessage, Choice, Job, ToolCall } from '@epd/jobs';
import type { SubmittedMessage } from '../../core/accept/image-sources.ts';
import { idAs } from '../chat/openai-parts.ts';
import { responseNotes } from './notes.ts';

/** One item of a conversation: a message, what was thought before it, a call, or a call's output. */
export interface Item {
  readonly id: string;
  readonly kind: 'message' | 'reasoning' | 'function_call' | 'function_call_output';
  /** What it adds to the conversation. */
  readonly message: SubmittedMessage;
}

/** What a response was asked, earlier turns included and instructions not: they are each turn's own. */
export function inputItems(job: Job): Item[] {
  const { messages } = job.request;
  const asked = responseNotes(job).instructions === null ? messages : messages.slice(1);
  const parts = asked.flatMap((message) => partsOf(message, job));
  return parts.map((part, index) => withId(`${idOf(part.kind, job)}_in${index}`, part));
}

/** What a response answered, in the order in which it is shown. */
export function outputItems(job: Job, choice: Choice | undefined): Item[] {
  if (choice === undefined) return [];
  const { content, reasoning, toolCalls } = choice.output ?? {
    content: choice.text,
    reasoning: '',
    toolCalls: [],
  };
  const isShown = content !== '' || toolCalls.length === 0;
  return [
    ...(reasoning === '' ? [] : [withId(reasoningId(job), thought(reasoning))]),
    ...(isShown ? [withId(messageId(job), said('assistant', content))] : []),
    ...toolCalls.map((call, index) => withId(callId(job, index), called(call))),
  ];
}

export const messageId = (job: Job): string => idOf('message', job);
export const reasoningId = (job: Job): string => idOf('reasoning', job);
export const callId = (job: Job, index: number): string => `${idOf('function_call', job)}_${index}`;

/** The response that an item belongs to, by the item's id; null: no id of ours. */
export function responseIdOf(itemId: string): string | null {
  const [, hex] = /^[a-z]{2,4}_([0-9a-f]{32})(?:_(?:in)?\d+)?$/.exec(itemId) ?? [];
  return hex === undefined ? null : `resp_${hex}`;
}

const PREFIXES = {
  message: 'msg_',
  reasoning: 'rs_',
  function_call: 'fc_',
  function_call_output: 'fco_',
} as const;

const idOf = (kind: Item['kind'], job: Job): string => idAs(PREFIXES[kind], job.id);

type Part = Omit<Item, 'id'>;

const withId = (id: string, { kind, message }: Part): Item => ({ id, kind, message });

/** A stored message as the items that it was put together from. */
function partsOf({ role, content, reasoning, toolCalls = [], toolCallId }: ChatMessage, job: Job) {
  const submitted = submittedContent(content, job);
  if (role === 'tool') return [returned(toolCallId ?? '', submitted)];
  const isShown = content.length > 0 || toolCalls.length === 0;
  return [
    ...(reasoning === undefined ? [] : [thought(reasoning)]),
    ...(isShown ? [said(role, submitted)] : []),
    ...toolCalls.map(called),
  ];
}

type Content = NonNullable<SubmittedMessage['content']>;

const thought = (text: string): Part => ({
  kind: 'reasoning',
  message: { role: 'assistant', reasoning_content: text },
});

const said = (role: SubmittedMessage['role'], content: Content): Part => ({
  kind: 'message',
  message: { role, content },
});

const called = ({ id, name, arguments: text }: ToolCall): Part => ({
  kind: 'function_call',
  message: {
    role: 'assistant',
    tool_calls: [{ id, type: 'function', function: { name, arguments: text } }],
  },
});

const returned = (call: string, content: Content): Part => ({
  kind: 'function_call_output',
  message: { role: 'tool', tool_call_id: call, content },
});

/** Pictures stay in the store, and are named by their digests. */
function submittedContent(content: ChatMessage['content'], { request }: Job): Content {
  if (typeof content === 'string') return content;
  return content.map((part) =>
    part.type === 'text' ? part : storedImage(request.images[part.image]?.input),
  );
}

const storedImage = (input: InputRef | undefined) => ({
  type: 'stored_image' as const,
  sha256: input?.sha256 ?? '',
  isFrame: input !== undefined && isFrame(input),
});
