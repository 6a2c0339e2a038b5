import { ApiError } from '../../http/errors.ts';
import type { SubmittedMessage } from '../../core/accept/image-sources.ts';
import type { ResponseContext } from './context.ts';
import type { InputItem, InputPart } from './item-schema.ts';
import { inputItems, outputItems } from './items.ts';
import { reasoningText } from './reasoning-content.ts';
import type { ResponseBody } from './schema.ts';

type SubmittedPart = Extract<SubmittedMessage['content'], readonly unknown[]>[number];

/** A message, and where in the request it stands, such as `input[2]`. */
export interface PlacedMessage {
  readonly place: string;
  readonly message: SubmittedMessage;
}

/**
 * Instructions, the turns before, and this turn's input, as one conversation: what an assistant thought,
 * said and called in a row is one message. Throws `ApiError`.
 */
export function responseMessages(body: ResponseBody, context: ResponseContext): PlacedMessage[] {
  const { instructions } = body;
  const placed = [...earlierTurns(context), ...inputMessages(body.input, context)];
  checkCalls(placed);
  return [
    ...(instructions === undefined
      ? []
      : [{ place: 'instructions', message: { role: 'system' as const, content: instructions } }]),
    ...joined(placed.filter(({ message }) => message.reasoning_content !== '')),
  ];
}

function earlierTurns({ previous }: ResponseContext): PlacedMessage[] {
  if (previous === null) return [];
  const items = [...inputItems(previous), ...outputItems(previous, previous.ending?.choices[0])];
  return items.map(({ message }) => ({ place: 'previous_response_id', message }));
}

function inputMessages(input: ResponseBody['input'], context: ResponseContext): PlacedMessage[] {
  if (typeof input === 'string') {
    return [{ place: 'input', message: { role: 'user', content: input } }];
  }
  return input.map((item, index) => {
    const place = `input[${index}]`;
    return { place, message: messageOf(item, place, context) };
  });
}

function messageOf(item: InputItem, place: string, { items }: ResponseContext): SubmittedMessage {
  switch (item.type) {
    case 'item_reference':
      return items.get(item.id)?.message ?? { role: 'assistant' };
    case 'function_call': {
      const { call_id: id, name, arguments: text } = item;
      const call = { id, type: 'function' as const, function: { name, arguments: text } };
      return { role: 'assistant', tool_calls: [call] };
    }
    case 'function_call_output': {
      const { output, call_id: call } = item;
      return { role: 'tool', tool_call_id: call, content: textOf(output) };
    }
    case 'reasoning':
      return { role: 'assistant', reasoning_content: reasoningText(item, place) };
    case 'message':
    default: {
      const { role, content } = item;
      if (typeof content === 'string') return { role, content };
      const texts =
        role === 'assistant' ? content.filter((part) => part.type !== 'input_image') : [];
      if (texts.length === content.length) return { role, content: textOf(texts) };
      const parts = content.map((part, at) => submitted(part, `${place}.content[${at}]`));
      return { role, content: parts };
    }
  }
}

type SpokenPart = Exclude<InputPart, { type: 'input_image' }>;

/** One text, as the model wrote or was told it: a prompt with it begins as the one before did. */
const textOf = (output: string | readonly SpokenPart[]): string =>
  typeof output === 'string' ? output : output.map(spoken).join('');

const spoken = (part: SpokenPart): string => (part.type === 'refusal' ? part.refusal : part.text);

function submitted(part: InputPart, path: string): SubmittedPart {
  if (part.type !== 'input_image') return { type: 'text', text: spoken(part) };
  const { image_url: url, file_id: fileId } = part;
  if (typeof url === 'string') return { type: 'image_url', image_url: { url } };
  if (typeof fileId === 'string') return { type: 'image_url', image_url: { file_id: fileId } };
  throw new ApiError('invalid_value', `${path}: expected image_url or file_id, got neither`, {
    param: path,
  });
}

/** An output whose call nobody made would answer nothing that the model sees. */
function checkCalls(placed: readonly PlacedMessage[]): void {
  const made = new Set<string>();
  for (const { place, message } of placed) {
    for (const { id } of message.tool_calls ?? []) made.add(id);
    const { tool_call_id: answered } = message;
    if (answered === undefined || made.has(answered)) continue;
    const param = `${place}.call_id`;
    const shown = JSON.stringify(answered.slice(0, 80));
    const problem = `${param}: expected the call_id of a function_call before it, got ${shown}`;
    throw new ApiError('invalid_value', problem, { param });
  }
}

function joined(placed: readonly PlacedMessage[]): PlacedMessage[] {
  const messages: PlacedMessage[] = [];
  for (const next of placed) {
    const last = messages.at(-1);
    if (last !== undefined && follows(last.message, next.message)) {
      messages[messages.length - 1] = { place: placeOf(last, next), message: merged(last, next) };
    } else messages.push(next);
  }
  return messages;
}

/** Reasoning, content and calls come in this order, and of the first two one each. */
function follows(last: SubmittedMessage, next: SubmittedMessage): boolean {
  if (last.role !== 'assistant' || next.role !== 'assistant') return false;
  const isCall = next.tool_calls !== undefined;
  return (
    isCall || (last.content === undefined && last.tool_calls === undefined && !isThought(next))
  );
}

const isThought = (message: SubmittedMessage): boolean => message.reasoning_content !== undefined;

function merged({ message: last }: PlacedMessage, { message: next }: PlacedMessage) {
  const calls = [...(last.tool_calls ?? []), ...(next.tool_calls ?? [])];
  return { ...last, ...next, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
}

/** Pictures stand in content alone: its place is the one that errors speak of. */
const placeOf = (last: PlacedMessage, next: PlacedMessage): string =>
  next.message.content === undefined ? last.place : next.place;
