import { IndexClient } from '@epd/image-index';
import { connectRedis } from '@epd/service';
import { readIndexConfig } from './config.ts';

/** A scan of a million embeddings takes minutes. */
const WITHIN_MS = 30 * 60_000;

/** Has the elected writer index what the store already holds, and says what came of it. */
const { redisUrl, prefix } = readIndexConfig();
const redis = connectRedis(redisUrl, { name: 'epd-index-backfill' });
const client = new IndexClient({ redis, prefix });
try {
  const { added, removed, unknown } = await client.write({ op: 'backfill' }, WITHIN_MS);
  process.stdout.write(
    `${added} images added, ${removed} rows removed; ${unknown} embeddings left out, ` +
      'for their picture or tenant is not known\n',
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await client.close();
  redis.disconnect();
}
