/** How a model writes the call of a function: `opener head NAME middle ARGUMENTS tail`, arguments as a JSON object. */
export interface ToolCallFormat {
  readonly name: string;
  /** Begins a call and stands nowhere else. */
  readonly opener: string;
  readonly head: string;
  readonly middle: string;
  readonly tail: string;
  /** Between two calls. */
  readonly separator: string;
}

/** Between which marks a model thinks. */
export interface ReasoningFormat {
  readonly begin: string;
  readonly end: string;
}

/** What a model's output holds beside content. */
export interface OutputFormat {
  readonly toolCalls: ToolCallFormat;
  /** Whether the model's own template renders tools; otherwise the prompt describes them in words. */
  readonly rendersTools: boolean;
  /** Null: it does not think aloud. */
  readonly reasoning: ReasoningFormat | null;
}

/** Each is known by its opener in a chat template. The first is also asked for in words, of models without any. */
const TOOL_CALL_FORMATS: readonly [ToolCallFormat, ...ToolCallFormat[]] = [
  {
    name: 'hermes',
    opener: '<tool_call>',
    head: '\n{"name": "',
    middle: '", "arguments": ',
    tail: '}\n</tool_call>',
    separator: '\n',
  },
  {
    name: 'mistral',
    opener: '[TOOL_CALLS]',
    head: '',
    middle: '[ARGS]',
    tail: '',
    separator: '',
  },
];

const REASONING_FORMATS: readonly ReasoningFormat[] = [
  { begin: '<think>', end: '</think>' },
  { begin: '[THINK]', end: '[/THINK]' },
];

/** What a model's own template shows of its output. */
export function outputFormat(template: string): OutputFormat {
  const own = TOOL_CALL_FORMATS.find(
    ({ opener, head, middle }) =>
      template.includes(opener) &&
      template.includes(middle.trim() === '' ? head : nameOf(middle)) &&
      /\btools\b/.test(template),
  );
  return {
    toolCalls: own ?? TOOL_CALL_FORMATS[0],
    rendersTools: own !== undefined,
    reasoning: REASONING_FORMATS.find(({ end }) => template.includes(end)) ?? null,
  };
}

/** Templates spell JSON with either quotes. */
const nameOf = (middle: string): string => (middle.includes('arguments') ? 'arguments' : middle);

/** Options of templates that callers may set: those of them that this one reads. */
const OPTIONS = ['enable_thinking', 'reasoning_effort', 'thinking', 'add_vision_id'];

export const templateOptions = (template: string): string[] =>
  OPTIONS.filter((name) => new RegExp(`\\b${name}\\b`).test(template));
