import {
  HubError,
  hubSettings,
  parseModelName,
  removeCachedModel,
  type ModelConfig,
} from '@epd/hub';

/** Removes a repository, all its revisions and variants. Throws `HubError` when it is not there. */
export async function removeModel(
  config: ModelConfig,
  name: string,
  say: (line: string) => void,
): Promise<void> {
  const { cacheFolder } = hubSettings(config);
  const { repository } = parseModelName(name);
  if (!(await removeCachedModel(cacheFolder, repository))) {
    throw new HubError('not_cached', `${repository} is not in ${cacheFolder}`);
  }
  say(`${repository} is gone from ${cacheFolder}`);
}
