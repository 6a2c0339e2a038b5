import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { projectPath } from '@epd/service';
import test from 'ava';
import {
  CHAT_FIELDS_IN_RESPONSES,
  UNSUPPORTED_IN_CHAT,
  UNSUPPORTED_IN_RESPONSES,
} from '../../src/core/accept/unsupported-fields.ts';
import { IGNORED } from '../../src/http/ignored.ts';
import { ChatCompletionBody } from '../../src/protocols/chat/schema.ts';
import { InputItem } from '../../src/protocols/responses/item-schema.ts';
import { ResponseBody } from '../../src/protocols/responses/schema.ts';

const PAGE = 'docs/openai-fields.md';

interface Api {
  readonly heading: string;
  /** Where the library of OpenAI describes the request. */
  readonly types: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, object>>;
  readonly refused: readonly string[];
}

const APIS: readonly Api[] = [
  {
    heading: '## `POST /v1/chat/completions`',
    types: 'openai/resources/chat/completions/completions',
    name: 'ChatCompletionCreateParamsBase',
    properties: ChatCompletionBody.properties,
    refused: Object.keys(UNSUPPORTED_IN_CHAT),
  },
  {
    heading: '## `POST /v1/responses`',
    types: 'openai/resources/responses/responses',
    name: 'ResponseCreateParamsBase',
    properties: ResponseBody.properties,
    refused: [...Object.keys(UNSUPPORTED_IN_RESPONSES), ...Object.keys(CHAT_FIELDS_IN_RESPONSES)],
  },
];

for (const { heading, types, name, properties, refused } of APIS) {
  test(`the table of fields is whole and true: ${heading}`, async (t) => {
    const told = await rowsBelow(heading);
    const sdk = await requestFields(types, name);
    t.true(sdk.length > 25);
    const known = new Set([...sdk, ...Object.keys(properties), ...refused]);
    t.deepEqual([...told.keys()].toSorted(), [...known].toSorted());
    for (const [field, state] of told) {
      const { description = '' }: { description?: string } = properties[field] ?? {};
      const taken = description.startsWith(IGNORED) ? 'ignored' : 'supported';
      const listed = field in properties ? taken : 'nowhere';
      t.is(state, refused.includes(field) ? 'refused' : listed, field);
    }
  });
}

test('the table of input items is that of the schema', async (t) => {
  const { oneOf } = InputItem as unknown as {
    oneOf: readonly { properties: { type: { const: string } } }[];
  };
  const told = await rowsBelow('### Input items');
  t.deepEqual(
    [...told.keys()].toSorted(),
    oneOf.map(({ properties }) => properties.type.const).toSorted(),
  );
});

/** The first two cells of each row of the first table below a heading. */
async function rowsBelow(heading: string): Promise<Map<string, string>> {
  const page = await readFile(projectPath(PAGE), 'utf8');
  const [, section = ''] = page.split(`\n${heading}\n`);
  const [own = ''] = section.split(/\n#+ /);
  const rows = own.matchAll(/^\| `([^`]+)` +\| (\w+)/gm);
  return new Map([...rows].map(([, field = '', state = '']) => [field, state]));
}

/** The members of an interface in the library's declarations. */
async function requestFields(types: string, name: string): Promise<string[]> {
  const file = fileURLToPath(import.meta.resolve(types)).replace(/\.m?js$/, '.d.ts');
  const declarations = await readFile(file, 'utf8');
  const [, body = ''] = declarations.split(`export interface ${name} {\n`);
  const [members = ''] = body.split('\n}\n');
  return [...members.matchAll(/^ {4}(\w+)\??:/gm)].map(([, field = '']) => field);
}
