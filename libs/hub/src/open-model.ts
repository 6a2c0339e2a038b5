import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ConfigError } from '@epd/service';
import { fetchModel, type FetchedModel, type FetchProgress } from './fetch-model.ts';
import { hubSettings, type ModelConfig } from './hub-settings.ts';
import { pinned, precisionOf, type Graph } from './model-name.ts';
import { modelSource } from './model-source.ts';

/** The files of a model, wherever they came from. */
export interface OpenedModel {
  readonly folder: string;
  readonly id: string;
  /** File suffix of each graph by its role; a role that is not named takes the file without one. */
  readonly variants: { readonly [graph in Graph]?: string };
  /** The same model, with the revision fixed: what another process should open. */
  readonly pinned: string;
  /** The graphs of a name on the Hub, also those that were not fetched; null for a folder. */
  readonly listing: Pick<FetchedModel['plan'], 'graphs' | 'offered'> | null;
  /** For a log or a screen: what the user should know of the choice that was made. */
  readonly notes: readonly string[];
}

export interface OpenOptions {
  readonly graphs: readonly Graph[];
  /** False: of a name on the Hub only the configuration is fetched. @default true */
  readonly fetchesGraphs?: boolean;
  /** What relative folders count from. */
  readonly base: string;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Opens the model that the settings name, fetching what is missing. Throws `HubError`, and `ConfigError` for a folder
 * that holds no model.
 */
export async function openModel(config: ModelConfig, options: OpenOptions): Promise<OpenedModel> {
  const source = await modelSource(config.model ?? config.modelDir, options.base);
  if (source.kind === 'folder') {
    const { folder } = source;
    await checkFolder(folder, config);
    const id = config.modelName ?? basename(folder);
    return { folder, id, variants: {}, pinned: folder, listing: null, notes: [] };
  }
  const { name } = source;
  const { folder, commit, plan, unreachable } = await fetchModel(name, {
    ...options,
    settings: hubSettings(config),
  });
  const substitutes = plan.substitutes.map(
    ({ graph, asked, taken }) =>
      `${name.repository} has no ${graph} in ${precisionOf(asked)}: ${precisionOf(taken)} is used`,
  );
  return {
    folder,
    id: config.modelName ?? name.id,
    variants: plan.suffixes,
    pinned: pinned(name, commit),
    listing: plan,
    notes:
      unreachable === null ? substitutes : [`${unreachable}; the cache is used`, ...substitutes],
  };
}

async function checkFolder(folder: string, { model }: ModelConfig): Promise<void> {
  const isModel = await stat(join(folder, 'config.json')).catch(() => null);
  if (isModel !== null) return;
  const variable = model === undefined ? 'EPD_MODEL_DIR' : 'EPD_MODEL';
  const expected = "a model's folder, with a file config.json";
  throw new ConfigError([{ variable, expected, value: folder }]);
}
