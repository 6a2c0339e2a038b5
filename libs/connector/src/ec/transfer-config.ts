import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { ConnectorConfigError } from '../errors.ts';

/** vLLM's `ECTransferConfig`: which connector a process uses, and which side of it. */
export const ECTransferConfig = Type.Object({
  /** A registered name, or the name of an export of `ecConnectorModulePath`. */
  ecConnector: Type.String({ minLength: 1 }),
  ecRole: Type.Union([
    Type.Literal('ec_producer'),
    Type.Literal('ec_consumer'),
    Type.Literal('ec_both'),
  ]),
  /**
   * Identifies this process, for connectors whose peers talk to each other; those of the store
   * connector do not.
   */
  engineId: Type.Optional(Type.String({ minLength: 1 })),
  /** A module, by URL, absolute path or package name, that exports a custom connector. */
  ecConnectorModulePath: Type.Optional(Type.String({ minLength: 1 })),
  /** Options that the connector defines. */
  ecConnectorExtraConfig: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
export type ECTransferConfig = Static<typeof ECTransferConfig>;

/** Throws a `ConnectorConfigError` that names the first invalid field. */
export function parseTransferConfig(config: unknown): ECTransferConfig {
  if (Value.Check(ECTransferConfig, config)) return config;
  const [first] = Value.Errors(ECTransferConfig, config);
  const where = first?.instancePath ? ` at ${first.instancePath}` : '';
  throw new ConnectorConfigError(`The transfer config is invalid${where}: ${first?.message ?? ''}`);
}

export const isProducer = ({ ecRole }: Pick<ECTransferConfig, 'ecRole'>): boolean =>
  ecRole !== 'ec_consumer';

export const isConsumer = ({ ecRole }: Pick<ECTransferConfig, 'ecRole'>): boolean =>
  ecRole !== 'ec_producer';
