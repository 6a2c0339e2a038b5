import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';

const FOLDER = projectPath('models/tiny-vlm');

/** The files of tiny-vlm as a repository on the Hub would have them. */
export async function hubFiles(): Promise<Record<string, Buffer>> {
  const [top, graphs] = [await readdir(FOLDER), await readdir(join(FOLDER, 'onnx'))];
  const configuration = top.filter((name) => name.endsWith('.json'));
  const names = [...configuration, ...graphs.map((name) => `onnx/${name}`)];
  const files = names.map(async (name) => [name, await readFile(join(FOLDER, name))] as const);
  return Object.fromEntries(await Promise.all(files));
}

/** Another revision of tiny-vlm below `folder`: its prompts begin otherwise. */
export async function otherRevision(folder: string): Promise<string> {
  const copy = join(folder, 'tiny-vlm');
  await cp(FOLDER, copy, { recursive: true });
  const file = join(copy, 'chat_template.json');
  const { chat_template: template } = JSON.parse(await readFile(file, 'utf8')) as {
    chat_template: string;
  };
  await writeFile(file, JSON.stringify({ chat_template: `Quite different: ${template}` }));
  return copy;
}
