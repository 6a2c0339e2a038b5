import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { missing } from './json-file.ts';
import { PromptError } from './errors.ts';
import type { ModelFolder } from './model-folder.ts';
import { tokenText } from './special-tokens.ts';

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
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly (TextPart | ImagePart)[];
}

/** Renders messages, ready for the assistant's answer. Throws `PromptError` (`template_failed`). */
export type ChatTemplate = (messages: readonly PromptMessage[]) => string;

export function readChatTemplate(folder: ModelFolder): ChatTemplate {
  const template = new Template(templateText(folder));
  const { bos_token, eos_token, pad_token, unk_token } = folder.tokenizerConfig;
  const tokens = Object.fromEntries(
    Object.entries({ bos_token, eos_token, pad_token, unk_token })
      .map(([name, token]) => [name, tokenText(token)] as const)
      .filter(([, text]) => text !== null),
  );
  return (messages) => render(template, { messages, add_generation_prompt: true, ...tokens });
}

/** The Hub's order: a template file, then the processor's, then the tokenizer's; the family's at last. */
function templateText(folder: ModelFolder): string {
  const { path, chatTemplate, processor, tokenizerConfig, model } = folder;
  const inTokenizer = tokenizerConfig.chat_template;
  const fallback = Array.isArray(inTokenizer)
    ? inTokenizer.find(({ name }) => name === 'default')?.template
    : inTokenizer;
  const text = chatTemplate ?? processor.chat_template ?? fallback ?? model.chatTemplate;
  if (text === null) throw missing(join(path, 'chat_template.jinja'));
  return text;
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
