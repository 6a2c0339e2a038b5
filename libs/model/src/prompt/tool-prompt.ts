import type { PromptMessage, PromptTool, TextPart } from './chat-template.ts';
import type { ToolCallFormat } from './output-format.ts';

/**
 * Messages that tell of tools in words, for templates that have no place for them: the functions and the
 * form of a call stand in the system message, calls are text of the assistant, results are messages of the user.
 */
export function toolsInWords(
  messages: readonly PromptMessage[],
  tools: readonly PromptTool[],
  format: ToolCallFormat,
): PromptMessage[] {
  const told = messages.map((message) => inWords(message, format));
  if (tools.length === 0) return told;
  const instructions = instructionsFor(tools, format);
  const [first, ...rest] = told;
  if (first?.role !== 'system') return [{ role: 'system', content: instructions }, ...told];
  return [{ ...first, content: appended(first.content, `\n\n${instructions}`) }, ...rest];
}

function instructionsFor(tools: readonly PromptTool[], format: ToolCallFormat): string {
  const functions = tools.map((tool) => JSON.stringify(tool.function)).join('\n');
  const { opener, head, middle, tail } = format;
  return [
    'You may call functions. These are their names, descriptions and JSON schemas of their arguments:',
    functions,
    'To call one, answer with its name and a JSON object of its arguments in this form:',
    `${opener}${head}NAME${middle}{...}${tail}`,
  ].join('\n');
}

function inWords(message: PromptMessage, format: ToolCallFormat): PromptMessage {
  const { role, content } = message;
  if (role === 'tool')
    return { role: 'user', content: enclosed(content, '<tool_response>\n', '\n</tool_response>') };
  if (message.toolCalls === undefined || message.toolCalls.length === 0) return { role, content };
  const { opener, head, middle, tail, separator } = format;
  const calls = message.toolCalls.map(
    (call) => `${opener}${head}${call.name}${middle}${call.arguments}${tail}`,
  );
  const before = content === '' || content.length === 0 ? '' : '\n';
  return { role, content: appended(content, before + calls.join(separator)) };
}

type Content = PromptMessage['content'];

const text = (of: string): TextPart => ({ type: 'text', text: of });

const appended = (content: Content, more: string): Content =>
  typeof content === 'string' ? content + more : [...content, text(more)];

const enclosed = (content: Content, before: string, after: string): Content =>
  typeof content === 'string' ? before + content + after : [text(before), ...content, text(after)];
