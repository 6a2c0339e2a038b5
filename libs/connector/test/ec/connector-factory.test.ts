import test from 'ava';
import { fileURLToPath } from 'node:url';
import {
  ConnectorConfigError,
  EmbeddingStore,
  MemoryStore,
  createECConnector,
  parseTransferConfig,
  registerECConnector,
} from '../../src/index.ts';
import { FINGERPRINT } from '../helpers/embeddings.ts';

const OWN_CONNECTOR = fileURLToPath(new URL('../fixtures/own-connector.ts', import.meta.url));
const services = {
  embeddings: new EmbeddingStore({ store: new MemoryStore() }),
  fingerprint: FINGERPRINT,
  width: 8,
};

test('the store connector is known by its name', async (t) => {
  const config = parseTransferConfig({ ecConnector: 'StoreECConnector', ecRole: 'ec_both' });
  const connector = await createECConnector(config, services);
  t.false(connector.scheduler.hasCacheItem('0'.repeat(64)));
  await connector.shutdown();
});

test('a connector is loaded from a module of one’s own', async (t) => {
  const config = parseTransferConfig({
    ecConnector: 'OwnConnector',
    ecRole: 'ec_consumer',
    ecConnectorModulePath: OWN_CONNECTOR,
  });
  const connector = await createECConnector(config, services);
  t.true(connector.scheduler.hasCacheItem('anything'));
});

test('a registered name is taken', async (t) => {
  registerECConnector('Registered', (config, given) =>
    createECConnector({ ...config, ecConnector: 'StoreECConnector' }, given),
  );
  const connector = await createECConnector(
    { ecConnector: 'Registered', ecRole: 'ec_producer' },
    services,
  );
  await connector.shutdown();
  t.throws(() => registerECConnector('Registered', () => connector), {
    instanceOf: ConnectorConfigError,
  });
});

const wrong: [string, object][] = [
  ['an unknown name', { ecConnector: 'Nobody', ecRole: 'ec_both' }],
  [
    'a module that is not there',
    { ecConnector: 'X', ecRole: 'ec_both', ecConnectorModulePath: '/not/there.ts' },
  ],
  [
    'a name that the module does not export',
    { ecConnector: 'X', ecRole: 'ec_both', ecConnectorModulePath: OWN_CONNECTOR },
  ],
  [
    'a setting out of range',
    {
      ecConnector: 'StoreECConnector',
      ecRole: 'ec_both',
      ecConnectorExtraConfig: { lookAgainMs: 0 },
    },
  ],
];
for (const [what, config] of wrong) {
  test(`${what} is refused`, async (t) => {
    await t.throwsAsync(async () => createECConnector(parseTransferConfig(config), services), {
      instanceOf: ConnectorConfigError,
    });
  });
}

test('a config says which of its fields is wrong', (t) => {
  const error = t.throws(() => parseTransferConfig({ ecConnector: 'X', ecRole: 'producer' }), {
    instanceOf: ConnectorConfigError,
  });
  t.regex(error.message, /ecRole/);
  t.throws(() => parseTransferConfig(null), { instanceOf: ConnectorConfigError });
});
