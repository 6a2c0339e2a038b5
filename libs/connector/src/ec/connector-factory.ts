import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConnectorConfigError } from '../errors.ts';
import type { ECConnector, ECConnectorMaker, ECServices } from './ec-services.ts';
import { createStoreECConnector } from './store-ec-connector.ts';
import type { ECTransferConfig } from './transfer-config.ts';

const registry = new Map<string, ECConnectorMaker>([['StoreECConnector', createStoreECConnector]]);

/** Registers a connector by name. Throws `ConnectorConfigError` when the name is taken. */
export function registerECConnector(name: string, maker: ECConnectorMaker): void {
  if (registry.has(name))
    throw new ConnectorConfigError(`A connector ${name} is already registered`);
  registry.set(name, maker);
}

/** The connector that the config names: a registered one, else the export of its module. */
export async function createECConnector(
  config: ECTransferConfig,
  services: ECServices,
): Promise<ECConnector> {
  const maker = registry.get(config.ecConnector) ?? (await importMaker(config));
  return maker(config, services);
}

async function importMaker(config: ECTransferConfig): Promise<ECConnectorMaker> {
  const { ecConnector: name, ecConnectorModulePath: path } = config;
  if (path === undefined) throw new ConnectorConfigError(`No connector ${name} is registered`);
  const exported = (await importModule(path))[name];
  if (typeof exported !== 'function') {
    throw new ConnectorConfigError(`${path} exports no function ${name}`);
  }
  return exported as ECConnectorMaker;
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(isAbsolute(path) ? pathToFileURL(path).href : path)) as Record<
      string,
      unknown
    >;
  } catch (cause) {
    throw new ConnectorConfigError(`${path} cannot be loaded`, { cause });
  }
}
