import { GRAPHS, openModel, type FetchProgress } from '@epd/hub';
import { ConfigError, projectPath } from '@epd/service';
import type { FleetOptions } from './fleet-options.ts';
import { shown } from './shown-path.ts';
import { ProgressBar } from '../tools/progress-bar.ts';

/** A model of the fleet, its files on this machine. */
export interface FleetModel {
  readonly id: string;
  /** What its workers are given, so that all of them open the same revision. */
  readonly env: { readonly EPD_MODEL: string; readonly EPD_MODEL_NAME: string };
  /** For people: where it came from. */
  readonly shown: string;
}

/** Opens every model that the fleet serves, with progress on the screen. Throws `HubError`, `ConfigError`. */
export async function openFleetModels(
  options: FleetOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<FleetModel[]> {
  const models: FleetModel[] = [];
  for (const text of options.models) {
    const model = await openFleetModel(options, text, say, signal);
    if (models.some(({ id }) => id === model.id)) throw sameName(model.id);
    models.push(model);
  }
  return models;
}

async function openFleetModel(
  options: FleetOptions,
  text: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<FleetModel> {
  const bar = new ProgressBar(process.stdout, text);
  const onProgress = ({ received, total }: FetchProgress): void => bar.show(received, total);
  // A name of one's own is for one model.
  const { modelName, model, ...others } = options;
  const named = options.models.length === 1 && modelName !== undefined ? { modelName } : {};
  // What EPD_MODEL_DIR says is a complaint about EPD_MODEL_DIR.
  const isDefault = model === undefined && text === options.modelDir;
  const config = { ...others, ...named, ...(isDefault ? {} : { model: text }) };
  const opened = await openModel(config, {
    graphs: GRAPHS,
    base: projectPath('.'),
    onProgress,
    signal,
  }).finally(() => bar.end());
  const { id, folder, pinned, notes } = opened;
  for (const note of notes) say(`${'model'.padEnd(18)}${note}`);
  say(`${'model'.padEnd(18)}${id}, ${shown(folder)}`);
  return { id, env: { EPD_MODEL: pinned, EPD_MODEL_NAME: id }, shown: shown(folder) };
}

function sameName(id: string): ConfigError {
  const expected = 'models of different names: a name is what requests tell models apart by';
  return new ConfigError([{ variable: '--model', expected, value: id }]);
}
