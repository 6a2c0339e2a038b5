import { parseArgs } from 'node:util';
import {
  createObjectStore,
  EmbeddingUsage,
  type ObjectStore,
  type UsageEntry,
} from '@epd/connector';
import { fleetStoreKey, readStoreId } from '@epd/fleet';
import { fleetConfig, storeName, storeOptions } from '@epd/service';
import { Redis } from 'ioredis';
import { Type, type Static } from 'typebox';
import { readSettings } from '../local/read-settings.ts';
import { listEmbeddings, purgeEmbeddings, type CacheParts } from './commands.ts';
import { isEverything, parseDuration, type Selection } from './selection.ts';

const HELP = `epd-cache: the embeddings that a fleet has stored

  epd-cache ls     [selection] [--json]            lists them, longest unused first
  epd-cache purge  selection|--all [--force]       deletes them, but none that a live job holds

selection (what fits all that is given)
  --key <beginning of the mm_hash>   --model <id>   --tenant <id>   --unused-for <90s|15m|12h|7d>

  --force also deletes what live jobs hold: they have it encoded again.
  Redis and the store are found by EPD_REDIS_URL, EPD_PREFIX, EPD_STORE and the variables of the store; without
  EPD_REDIS_URL, those of the fleet that npm start has brought up here.
`;

const settings = Type.Object({ ...fleetConfig.redis, ...fleetConfig.store });
type Config = Readonly<Static<typeof settings>>;

/** Where services keep embeddings in the store. */
const ROOT = 'embeddings';

async function run(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [command] = positionals;
  if (values.help || (command !== 'ls' && command !== 'purge')) return print(HELP);
  const selection: Selection = {
    key: values.key,
    model: values.model,
    tenant: values.tenant,
    unusedForMs:
      values['unused-for'] === undefined ? undefined : parseDuration(values['unused-for']),
  };
  if (command === 'purge' && isEverything(selection) && !values.all) {
    throw new Error('Say what to purge, or --all');
  }
  await withParts(async (parts) => {
    if (command === 'ls') await list(parts, selection, values.json ?? false);
    else await purge(parts, selection, values.force ?? false);
  });
}

const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      model: { type: 'string' },
      tenant: { type: 'string' },
      'unused-for': { type: 'string' },
      all: { type: 'boolean' },
      force: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });

async function list(parts: CacheParts, selection: Selection, json: boolean): Promise<void> {
  const entries = await listEmbeddings(parts, selection);
  if (json) return print(`${JSON.stringify(entries, null, 2)}\n`);
  for (const entry of entries) print(`${line(entry)}\n`);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  print(`${entries.length} embeddings, ${bytes} bytes\n`);
}

async function purge(parts: CacheParts, selection: Selection, force: boolean): Promise<void> {
  const { removed, bytes, leased, missing } = await purgeEmbeddings(parts, selection, { force });
  print(
    `${removed} embeddings deleted, ${bytes} bytes; ${leased} left to live jobs, ${missing} were not there\n`,
  );
}

const line = ({ mmHash, bytes, lastUsedAtMs, model, tenant }: UsageEntry): string =>
  [
    mmHash,
    String(bytes).padStart(11),
    new Date(lastUsedAtMs).toISOString(),
    model ?? '-',
    tenant || '-',
  ].join('  ');

async function withParts(work: (parts: CacheParts) => Promise<void>): Promise<void> {
  const { config } = readSettings(settings, process.env);
  const redis = new Redis(config.redisUrl, { maxRetriesPerRequest: 1 });
  // Every command reports its own failure.
  redis.on('error', () => {});
  const store = await createObjectStore(storeOptions(config));
  try {
    await assertFleetStore(config, redis, store);
    const usage = new EmbeddingUsage({ redis, prefix: config.prefix });
    await work({ store, usage, root: ROOT });
  } finally {
    redis.disconnect();
    await store.close();
  }
}

/** On another store nothing would be deleted, and the fleet's books would say that it was. */
async function assertFleetStore(config: Config, redis: Redis, store: ObjectStore): Promise<void> {
  const [id, name] = await redis.hmget(fleetStoreKey(config.prefix), 'id', 'name');
  if (!id || (await readStoreId(store)) === id) return;
  throw new Error(
    `The fleet uses ${name}, and the settings here name ${storeName(storeOptions(config))}: ` +
      'set EPD_STORE and the variables of the store as the fleet has them',
  );
}

function print(text: string): void {
  process.stdout.write(text);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
