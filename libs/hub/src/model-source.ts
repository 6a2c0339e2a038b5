import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { parseModelName, type ModelName } from './model-name.ts';

/** Where a model comes from: a folder on this machine, or the Hub. */
export type ModelSource =
  | { readonly kind: 'folder'; readonly text: string; readonly folder: string }
  | { readonly kind: 'hub'; readonly text: string; readonly name: ModelName };

/**
 * Tells folders from names of the Hub, which may look alike (`models/tiny-vlm`): what is absolute,
 * begins with a dot, or is a model's folder seen from `base`, is a folder. Throws `HubError`
 * (`invalid_name`) when the text is neither.
 */
export async function modelSource(text: string, base: string): Promise<ModelSource> {
  const folder = resolve(base, text);
  const isPath = isAbsolute(text) || text.startsWith('.');
  if (isPath || (await isFile(join(folder, 'config.json'))))
    return { kind: 'folder', text, folder };
  return { kind: 'hub', text, name: parseModelName(text) };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
