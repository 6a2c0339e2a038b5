import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { missing } from '../files/json-file.ts';
import { PromptError } from '../errors.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import { tokenText } from '../tokens/special-tokens.ts';

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

/** `image` is an index into the request's images. */
export interface ImagePart {
  readonly type: 'image';
  readonly image: number;
}

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string | readonly (TextPart | ImagePart)[];
  /** Of an assistant. */
  readonly reasoning?: string;
  readonly toolCalls?: readonly PromptToolCall[];
  /** Of a tool: the call that it answers. */
  readonly toolCallId?: string;
}

export interface PromptToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON in text. */
  readonly arguments: string;
}

/** A function as templates know it, which is OpenAI's form. */
export interface PromptTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters: unknown;
  };
}

export type TemplateOptions = Readonly<Record<string, string | number | boolean>>;

export interface Conversation {
  readonly messages: readonly PromptMessage[];
  readonly tools?: readonly PromptTool[];
  readonly options?: TemplateOptions;
}

/** Renders messages, ready for the assistant's answer. Throws `PromptError` (`template_failed`). */
export type ChatTemplate = (conversation: Conversation) => string;

export function readChatTemplate(folder: ModelFolder): ChatTemplate {
  const template = new Template(templateText(folder));
  const { bos_token, eos_token, pad_token, unk_token } = folder.tokenizerConfig;
  const tokens = Object.fromEntries(
    Object.entries({ bos_token, eos_token, pad_token, unk_token })
      .map(([name, token]) => [name, tokenText(token)] as const)
      .filter(([, text]) => text !== null),
  );
  return ({ messages, tools = [], options = {} }) =>
    render(template, {
      ...options,
      messages: messages.map(forTemplate),
      ...(tools.length === 0 ? {} : { tools }),
      add_generation_prompt: true,
      ...tokens,
    });
}

/** Messages by the names that templates know. Arguments are a value to them, which they write in their own way. */
function forTemplate({ reasoning, toolCalls, toolCallId, ...message }: PromptMessage): object {
  return {
    ...message,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls.map(callForTemplate) }),
  };
}

const callForTemplate = ({ id, name, arguments: text }: PromptToolCall): object => ({
  id,
  type: 'function',
  function: { name, arguments: parsed(text) },
});

/** A call that was cut off is text that is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The Hub's order: a template file, then the processor's, then the tokenizer's; the family's at last. */
export function templateText(folder: ModelFolder): string {
  const text = findTemplate(folder);
  if (text === null) throw missing(join(folder.path, 'chat_template.jinja'));
  return text;
}

/** Null: the folder has none, as that of an encoder may. */
export function findTemplate(folder: ModelFolder): string | null {
  const { chatTemplate, processor, tokenizerConfig, model } = folder;
  const inTokenizer = tokenizerConfig.chat_template;
  const fallback = Array.isArray(inTokenizer)
    ? inTokenizer.find(({ name }) => name === 'default')?.template
    : inTokenizer;
  return chatTemplate ?? processor.chat_template ?? fallback ?? model.chatTemplate;
}

function render(template: Template, values: Record<string, unknown>): string {
  try {
    return template.render(values);
  } catch (cause) {
    // Templates refuse by raising: an order of roles that the model was not trained on, for example.
    const why = (cause as Error).message;
    throw new PromptError('template_failed', `The model's chat template refused: ${why}`, {
      cause,
    });
  }
}
