import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../../http/errors.ts';

/** A parameter that would change the answer and is not carried out, with the values that ask for nothing. */
export type UnsupportedFields = Readonly<Record<string, readonly unknown[]>>;

/** vLLM's, llama.cpp's and Ollama's additions to OpenAI's parameters: what generation would do with them. */
const GENERATION: UnsupportedFields = {
  add_generation_prompt: [true],
  allowed_token_ids: [],
  bad_words: [[]],
  best_of: [1],
  chat_template: [],
  continue_final_message: [false],
  documents: [[]],
  early_stopping: [false],
  echo: [false],
  format: ['', 'text'],
  guided_grammar: [],
  include_stop_str_in_output: [false],
  keep_alive: [],
  length_penalty: [1],
  mirostat: [0],
  options: [{}],
  prompt_logprobs: [0],
  skip_special_tokens: [true],
  spaces_between_special_tokens: [true],
  suffix: [''],
  truncate_prompt_tokens: [],
  typical_p: [1],
  use_beam_search: [false],
};

/** Of `/v1/chat/completions` and `/v1/jobs`. */
export const UNSUPPORTED_IN_CHAT: UnsupportedFields = {
  ...GENERATION,
  audio: [],
  function_call: ['none'],
  functions: [[]],
  modalities: [['text']],
  moderation: [],
  verbosity: ['medium'],
  web_search_options: [],
};

/** Of `/v1/completions`. */
export const UNSUPPORTED_IN_COMPLETIONS: UnsupportedFields = GENERATION;

/** Of `/v1/responses`. */
export const UNSUPPORTED_IN_RESPONSES: UnsupportedFields = {
  ...GENERATION,
  access_programs: [],
  conversation: [],
  context_management: [[]],
  image: [],
  max_tool_calls: [],
  moderation: [],
  n: [1],
  prompt: [],
  truncation: ['disabled'],
  'text.verbosity': ['medium'],
  'reasoning.context': ['auto'],
  'reasoning.mode': ['standard'],
  'reasoning.summary': ['auto'],
  'reasoning.generate_summary': ['auto'],
};

/** Of chat completions, sent to `/v1/responses`, with the field that asks for the same there. */
export const CHAT_FIELDS_IN_RESPONSES: Readonly<Record<string, string>> = {
  function_call: 'tool_choice',
  functions: 'tools',
  logprobs: 'top_logprobs',
  max_completion_tokens: 'max_output_tokens',
  max_tokens: 'max_output_tokens',
  messages: 'input',
  reasoning_effort: 'reasoning.effort',
  response_format: 'text.format',
};

/**
 * Refuses a request that asks for what would be left out. Null and absent ask for nothing. Throws `ApiError`
 * (`unsupported_parameter`).
 */
export function refuseUnsupported(body: object, fields: UnsupportedFields): void {
  for (const [field, value] of Object.entries(body)) {
    const neutral = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (neutral === undefined || value === undefined || value === null) continue;
    if (neutral.some((one) => isDeepStrictEqual(one, value))) continue;
    const only = neutral.length > 0 ? ` beyond ${JSON.stringify(neutral[0])}` : '';
    const message = `${field}: is not supported by this server${only}`;
    throw new ApiError('unsupported_parameter', message, { param: field });
  }
}

/** Refuses what another protocol calls otherwise, and says how. Throws `ApiError` (`unsupported_parameter`). */
export function refuseForeign(body: object, names: Readonly<Record<string, string>>): void {
  for (const [field, value] of Object.entries(body)) {
    const name = Object.hasOwn(names, field) ? names[field] : undefined;
    if (name === undefined || value === undefined || value === null) continue;
    throw new ApiError('unsupported_parameter', `${field}: is called ${name} here`, {
      param: field,
    });
  }
}
