import { readFile } from 'node:fs/promises';

/** A schema with documents that satisfy it, and documents that do not. */
export interface SchemaCase {
  readonly name: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly valid: boolean; readonly data: unknown }[];
}

/** A file of one case a line, as MaskBench's schemas can be written; without one, some of our own. */
export async function schemaCases(path: string | null): Promise<readonly SchemaCase[]> {
  if (path === null) return OWN;
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as SchemaCase);
}

const valid = (data: unknown) => ({ valid: true, data });
const invalid = (data: unknown) => ({ valid: false, data });

const OWN: readonly SchemaCase[] = [
  {
    name: 'receipt',
    schema: {
      type: 'object',
      properties: {
        shop: { type: 'string', maxLength: 80 },
        date: { type: 'string', format: 'date' },
        total: { type: 'number', minimum: 0, multipleOf: 0.01 },
        lines: {
          type: 'array',
          maxItems: 50,
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, count: { type: 'integer', minimum: 1 } },
            required: ['name', 'count'],
            additionalProperties: false,
          },
        },
      },
      required: ['shop', 'total'],
      additionalProperties: false,
    },
    tests: [
      valid({
        shop: 'Corner',
        date: '2026-11-28',
        total: 12.5,
        lines: [{ name: 'Tea', count: 2 }],
      }),
      invalid({ shop: 'Corner', total: -1 }),
      invalid({ shop: 'Corner', total: 1, tip: 2 }),
    ],
  },
  {
    name: 'recursive tree with optional members',
    schema: {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: {
            label: { type: 'string' },
            weight: { type: ['number', 'null'] },
            children: { type: 'array', items: { $ref: '#/$defs/node' } },
          },
          required: ['label'],
        },
      },
    },
    tests: [
      valid({
        label: 'a',
        children: [
          { label: 'b', weight: null },
          { weight: 2, label: 'c' },
        ],
      }),
      invalid({ label: 'a', children: [{ weight: 1 }] }),
    ],
  },
  {
    name: 'union told apart by a member',
    schema: {
      oneOf: ['circle', 'square'].map((kind) => ({
        type: 'object',
        properties: { kind: { const: kind }, size: { type: 'number', exclusiveMinimum: 0 } },
        required: ['kind', 'size'],
      })),
    },
    tests: [valid({ kind: 'square', size: 0.5 }), invalid({ kind: 'line', size: 1 })],
  },
  {
    name: 'patterns and formats',
    schema: {
      type: 'object',
      properties: {
        id: { type: 'string', format: 'uuid' },
        mail: { type: 'string', format: 'email' },
        code: { type: 'string', pattern: '^[A-Z]{2,3}-\\d{4}$' },
      },
      patternProperties: { '^x-': { type: 'string' } },
      additionalProperties: false,
    },
    tests: [
      valid({ id: '123e4567-e89b-42d3-a456-426614174000', mail: 'a@b.example', 'x-a': 'b' }),
      invalid({ code: 'AB-12' }),
      invalid({ y: 'z' }),
    ],
  },
];
