import type { OutputDelta, ToolCall } from '@epd/jobs';
import { outputFormat } from '@epd/model';
import test from 'ava';
import { MarkupParser } from '../../../src/engine/text/markup-parser.ts';
import { OutputRecord } from '../../../src/engine/text/output-record.ts';

const hermes = outputFormat('');
const mistral = outputFormat('{% if tools %}[TOOL_CALLS]name[ARGS]args{% endif %}[THINK][/THINK]');
const thinking = outputFormat('<think></think>').reasoning;

const parser = (told: Partial<ConstructorParameters<typeof MarkupParser>[0]> = {}) =>
  new MarkupParser({
    toolCalls: hermes.toolCalls,
    reasoning: thinking,
    opensReasoning: false,
    callId: (index) => `call_${index}`,
    ...told,
  });

/** The whole of what a text is, when it comes in pieces of these lengths. */
function read(text: string, size: number, told: Parameters<typeof parser>[0] = {}) {
  const record = new OutputRecord();
  const one = parser(told);
  const deltas: OutputDelta[] = [];
  for (let at = 0; at < text.length; at += size)
    deltas.push(...one.push(text.slice(at, at + size)));
  deltas.push(...one.flush());
  record.add(deltas, false);
  const { content, reasoning, toolCalls } = record.output;
  return { content, reasoning, toolCalls };
}

const call = (index: number, name: string, text: string): ToolCall => ({
  id: `call_${index}`,
  name,
  arguments: text,
});

const spelled = (name: string, text: string): string =>
  `<tool_call>\n{"name": "${name}", "arguments": ${text}}\n</tool_call>`;

const NESTED = '{"a": {"b": "}\\n</tool_call>\\"{"}, "c": [1, {}]}';

const CASES: readonly (readonly [string, string, ReturnType<typeof read>])[] = [
  ['plain text', 'a < b <tool', { content: 'a < b <tool', reasoning: '', toolCalls: [] }],
  ['a call', spelled('f', '{}'), { content: '', reasoning: '', toolCalls: [call(0, 'f', '{}')] }],
  [
    'calls behind text',
    `Well.\n${spelled('f', NESTED)}\n${spelled('g', '{"x": 1}')}`,
    {
      content: 'Well.\n',
      reasoning: '',
      toolCalls: [call(0, 'f', NESTED), call(1, 'g', '{"x": 1}')],
    },
  ],
  [
    'reasoning before all',
    `\n<think>\nfirst <tool_call>\n</think>\n\n${spelled('f', '{}')} done`,
    {
      content: 'done',
      reasoning: '\nfirst <tool_call>\n',
      toolCalls: [call(0, 'f', '{}')],
    },
  ],
  [
    'marks of reasoning behind content are content',
    'so <think>no</think>',
    { content: 'so <think>no</think>', reasoning: '', toolCalls: [] },
  ],
  [
    'a call cut short before its name',
    'x <tool_call>\n{"na',
    { content: 'x <tool_call>\n{"na', reasoning: '', toolCalls: [] },
  ],
  [
    'a call cut short in its arguments',
    '<tool_call>\n{"name": "f", "arguments": {"a": [1,',
    { content: '', reasoning: '', toolCalls: [call(0, 'f', '{"a": [1,')] },
  ],
];

for (const [name, text, expected] of CASES) {
  test(`however text is cut, it is the same: ${name}`, (t) => {
    for (const size of [1, 2, 3, 5, 7, 11, text.length]) t.deepEqual(read(text, size), expected);
  });
}

test('reasoning that the prompt has opened ends where the model ends it', (t) => {
  const told = { opensReasoning: true };
  const expected = { content: 'Yes', reasoning: 'hm ', toolCalls: [] };
  for (const size of [1, 4, 99]) t.deepEqual(read('hm </think>\n\nYes', size, told), expected);
  t.deepEqual(read('hm', 1, told), { content: '', reasoning: 'hm', toolCalls: [] });
});

test('calls whose end only their arguments tell follow one another', (t) => {
  const text = '[THINK]a[/THINK][TOOL_CALLS]f[ARGS]{"s": "[TOOL_CALLS]"}[TOOL_CALLS]g[ARGS]{}';
  const told = { toolCalls: mistral.toolCalls, reasoning: mistral.reasoning };
  const expected = {
    content: '',
    reasoning: 'a',
    toolCalls: [call(0, 'f', '{"s": "[TOOL_CALLS]"}'), call(1, 'g', '{}')],
  };
  for (const size of [1, 3, 8, 99]) t.deepEqual(read(text, size, told), expected);
});

test('without tools a call is content', (t) => {
  const text = spelled('f', '{}');
  t.deepEqual(read(text, 3, { toolCalls: null }), { content: text, reasoning: '', toolCalls: [] });
});

test('a call is streamed: its name at once, its arguments as they come', (t) => {
  const one = parser();
  t.deepEqual(one.push('<tool_call>\n{"name": "f", "argum'), []);
  const id = 'call_0';
  t.deepEqual(one.push('ents": {"a"'), [
    { type: 'tool_call', index: 0, id, name: 'f', arguments: '' },
    { type: 'tool_call', index: 0, arguments: '{"a"' },
  ]);
  t.deepEqual(one.push(': 1}'), [{ type: 'tool_call', index: 0, arguments: ': 1}' }]);
  t.deepEqual(one.push('}\n</tool_call>'), []);
});

test('where an answer is calls or content, a mark within content is none', (t) => {
  const told = { callsOrContent: true, reasoning: null };
  const json = '{"a": "<tool_call>\\n{"}';
  const calls = `${spelled('f', '{}')}\n${spelled('g', '{}')}`;
  for (let size = 1; size <= calls.length; size += 1) {
    t.deepEqual(read(json, size, told), { content: json, reasoning: '', toolCalls: [] });
    const expected = [call(0, 'f', '{}'), call(1, 'g', '{}')];
    t.deepEqual(read(calls, size, told), { content: '', reasoning: '', toolCalls: expected });
  }
});
