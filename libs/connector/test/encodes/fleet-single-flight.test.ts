import { keysWithTtl, testRedisUrl, testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EmbeddingStore, EncodeRequester, FolderStore } from '../../src/index.ts';
import { hashOf } from '../helpers/embeddings.ts';
import { MODEL, encodeJobOf } from '../helpers/encode-jobs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { requestOf, startConsumer } from '../helpers/test-fleet.ts';
import { until } from '../helpers/until.ts';

const ENCODER = fileURLToPath(new URL('../fixtures/encoder-process.ts', import.meta.url));
const REQUESTS = 500;
const IMAGES = Array.from({ length: 10 }, (_, index) => `image ${index}`);
const REPLICAS = 4;
const CONSUMERS = 2;
const KILLS = 3;

test('500 requests for 10 images encode each once at a time, though encoders are killed', async (t) => {
  const { redis, prefix } = testRedis(t);
  const root = await temporaryFolder(t);
  const embeddings = new EmbeddingStore({ store: new FolderStore({ root, durable: false }) });
  const replicas = Array.from({ length: REPLICAS }, () =>
    startReplica(t, { redis, prefix, embeddings }),
  );
  const settings = { redis, prefix, embeddings, cacheBytes: 5 * 128, lookAgainMs: 300 };
  const consumers = await Promise.all(
    Array.from({ length: CONSUMERS }, () => startConsumer(t, settings)),
  );

  const start = () => startEncoder(t, prefix, root);
  const encoders = [start(), start()];
  const outcomes = Array.from({ length: REQUESTS }, async (_, index) => {
    const id = `job-${index}`;
    const asked = await Promise.all(
      IMAGES.map((name) => replicas[index % REPLICAS]!.request(encodeJobOf(name), id)),
    );
    const generations = asked.map(({ generation }) => generation);
    return consumers[index % CONSUMERS]!.serve(requestOf(id, IMAGES, generations));
  });
  for (let kill = 0; kill < KILLS; kill += 1) {
    await killInTheAct(encoders, async () => Object.values(await redis.hgetall(`${prefix}:t:by`)));
    encoders.push(start());
  }

  t.deepEqual(new Set(await Promise.all(outcomes)), new Set(['done']));
  const counted = async (what: string) => redis.hgetall(`${prefix}:t:${what}`);
  const [begun, finished] = [await counted('begun'), await counted('finished')];
  t.deepEqual(
    await redis.lrange(`${prefix}:t:overlaps`, 0, -1),
    [],
    'two encodes of one image at once',
  );
  for (const hash of IMAGES.map(hashOf)) t.true(['1', undefined].includes(finished[hash]), hash);
  const wasted = sum(begun) - IMAGES.length;
  t.log(`${sum(begun)} encodes begun, ${sum(finished)} finished, ${KILLS} encoders killed`);
  t.true(wasted <= KILLS * 3, `${wasted} encodes were lost with ${KILLS} encoders of 3 each`);
  await leavesNothingForEver(t, redis, prefix);
});

function startReplica(
  t: ExecutionContext,
  options: ConstructorParameters<typeof EncodeRequester>[0],
): EncodeRequester {
  const redis = options.redis.duplicate();
  const requester = new EncodeRequester({ ...options, redis });
  t.teardown(async () => {
    await requester.close();
    redis.disconnect();
  });
  return requester;
}

function startEncoder(t: ExecutionContext, prefix: string, root: string): ChildProcess {
  const child = spawn(process.execPath, [ENCODER, testRedisUrl(), prefix, root, MODEL], {
    stdio: 'inherit',
  });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  });
  return child;
}

/** Kills the first encoder that is seen at work. */
async function killInTheAct(
  encoders: readonly ChildProcess[],
  busyPids: () => Promise<string[]>,
): Promise<void> {
  await until(async () => {
    const busy = await busyPids();
    const victim = encoders.find(({ pid, killed }) => !killed && busy.includes(String(pid)));
    return victim?.kill('SIGKILL') ?? false;
  });
}

/** The flights expire; the queue's own keys and the books of this test are bounded. */
async function leavesNothingForEver(
  t: ExecutionContext,
  redis: ReturnType<typeof testRedis>['redis'],
  prefix: string,
) {
  const ttls = await keysWithTtl(redis, `${prefix}:flight:`);
  for (const [key, ttl] of ttls) t.true(ttl > 0, key);
  await until(async () => (await redis.keys(`${prefix}:encode-${MODEL}:encode-*`)).length === 0);
}

const sum = (counts: Readonly<Record<string, string>>): number =>
  Object.values(counts).reduce((total, count) => total + Number(count), 0);
