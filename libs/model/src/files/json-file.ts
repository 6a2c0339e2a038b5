import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ModelFolderError } from '../errors.ts';

/** The parsed file, held to `schema`. Throws `ModelFolderError`; null when `optional` and absent. */
export async function readJson<S extends TSchema>(
  folder: string,
  name: string,
  schema: S,
): Promise<Static<S>> {
  const value = await readJsonIfPresent(folder, name, schema);
  if (value === null) throw missing(join(folder, name));
  return value;
}

export async function readJsonIfPresent<S extends TSchema>(
  folder: string,
  name: string,
  schema: S,
): Promise<Static<S> | null> {
  const file = join(folder, name);
  const text = await readTextIfPresent(file);
  if (text === null) return null;
  return held(folder, name, schema, parse(file, text));
}

/** A value from a file, held to `schema`. Throws `ModelFolderError` (`invalid_config`) that names the file. */
export function held<S extends TSchema>(
  folder: string,
  name: string,
  schema: S,
  value: unknown,
): Static<S> {
  if (Value.Check(schema, value)) return value;
  throw violation(join(folder, name), schema, value);
}

export async function readTextIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function missing(file: string): ModelFolderError {
  return new ModelFolderError('missing_file', {
    file,
    expected: 'the file to be there',
    found: 'nothing',
  });
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = (cause as Error).message;
    throw new ModelFolderError('invalid_json', { file, expected: 'JSON', found }, { cause });
  }
}

function violation(file: string, schema: TSchema, value: unknown): ModelFolderError {
  const first = Value.Errors(schema, value)[0];
  const path = first?.instancePath || '/';
  const expected = `${path} ${first?.message ?? 'to fit its schema'}`;
  return new ModelFolderError('invalid_config', { file, expected, found: shown(at(value, path)) });
}

function at(value: unknown, path: string): unknown {
  return path
    .split('/')
    .filter((step) => step !== '')
    .reduce((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], value);
}

const SHOWN_CHARACTERS_MAX = 80;

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, SHOWN_CHARACTERS_MAX);
}
