import { projectPath, type Logger } from '@epd/service';
import type { FetchProgress } from './fetch-model.ts';
import type { ModelConfig } from './hub-settings.ts';
import type { Graph } from './model-name.ts';
import { openModel, type OpenedModel } from './open-model.ts';

interface Context {
  readonly config: ModelConfig;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly signal: AbortSignal;
}

/** How often, in milliseconds, a download says in the log how far it is. */
const TELL_MS = 5_000;

/**
 * Opens a service's model and logs what a user should know of it. Throws `HubError`, and `ConfigError` for a folder
 * that holds no model.
 */
export async function openServiceModel(
  { config, log, signal }: Context,
  graphs: readonly Graph[],
): Promise<OpenedModel> {
  let toldMs = performance.now();
  const onProgress = ({ file, received, total }: FetchProgress): void => {
    if (performance.now() - toldMs < TELL_MS) return;
    toldMs = performance.now();
    log.info({ file, receivedBytes: received, totalBytes: total }, 'downloading the model');
  };
  const opened = await openModel(config, { graphs, base: projectPath('.'), onProgress, signal });
  for (const note of opened.notes) log.warn({ model: opened.id }, note);
  return opened;
}
