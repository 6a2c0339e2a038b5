/** What differs between the models of this family beside their numbers: how they write an image. */
export interface FixedGridKind {
  readonly rowToken: string;
  /** What the chat template writes where an image goes. */
  readonly placeholder: string;
  /** What stands before and after the rows. */
  readonly before: string;
  readonly after: string;
  /** For models that come without a chat template. */
  readonly chatTemplate: string | null;
  /** False for models whose processor places the token that begins a text by itself. */
  readonly beginsWithBos: boolean;
}

const IMAGE = '<image>';

const PLAIN: FixedGridKind = {
  rowToken: IMAGE,
  placeholder: IMAGE,
  before: '',
  after: '',
  chatTemplate: null,
  beginsWithBos: true,
};

/** Images first, then the text between the token that begins it and a line's end. */
const PALIGEMMA_TEMPLATE = `{%- for message in messages -%}
{%- if message.content is not string -%}
{%- for part in message.content if part.type == 'image' -%}<image>{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{{- bos_token -}}
{%- for message in messages -%}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}
{%- for part in message.content if part.type == 'text' -%}{{- part.text -}}{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{{- '\\n' -}}`;

export const KINDS: Readonly<Record<string, FixedGridKind>> = {
  llava: PLAIN,
  llava_qwen2: PLAIN,
  llava_onevision: PLAIN,
  paligemma: { ...PLAIN, chatTemplate: PALIGEMMA_TEMPLATE, beginsWithBos: false },
  gemma3: {
    ...PLAIN,
    rowToken: '<image_soft_token>',
    placeholder: '<start_of_image>',
    before: '\n\n<start_of_image>',
    after: '<end_of_image>\n\n',
  },
};
