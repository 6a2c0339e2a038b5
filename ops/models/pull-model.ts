import { openModel, type Graph, type ModelConfig } from '@epd/hub';
import { projectPath } from '@epd/service';
import { ProgressBar } from '../tools/progress-bar.ts';

/** Fetches what is missing, and says where it is. Throws `HubError`. */
export async function pullModel(
  config: ModelConfig,
  name: string,
  graphs: readonly Graph[],
  say: (line: string) => void,
): Promise<void> {
  const bar = new ProgressBar(process.stdout, name);
  const opened = await openModel(
    { ...config, model: name },
    {
      graphs,
      base: projectPath('.'),
      onProgress: ({ received, total }) => bar.show(received, total),
    },
  ).finally(() => bar.end());
  for (const note of opened.notes) say(note);
  say(`${opened.id} is in ${opened.folder}`);
}
