import { cachedModels, hubSettings, type CachedModel, type ModelConfig } from '@epd/hub';

/** Names, sizes and revisions of what the cache holds. */
export async function listModels(config: ModelConfig, say: (line: string) => void): Promise<void> {
  const { cacheFolder } = hubSettings(config);
  const models = await cachedModels(cacheFolder);
  if (models.length === 0) return say(`${cacheFolder} holds no models`);
  const width = Math.max(...models.map(({ repository }) => repository.length));
  for (const model of models) say(`${model.repository.padEnd(width)}  ${describe(model)}`);
  say(`in ${cacheFolder}`);
}

function describe({ bytes, incompleteBytes, revisions }: CachedModel): string {
  const refs = Object.entries(revisions).map(([ref, commit]) => `${ref} ${commit.slice(0, 8)}`);
  const parts = incompleteBytes > 0 ? [`${megabytes(incompleteBytes)} not whole`] : [];
  return [megabytes(bytes), ...refs, ...parts].join('  ');
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1).padStart(9)} MB`;
