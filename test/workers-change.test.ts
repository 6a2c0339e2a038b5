import { once } from 'node:events';
import { join } from 'node:path';
import { RedisModelRegistry } from '@epd/fleet';
import { startHubServer } from '@epd/hub/testing';
import { RedisJobStore } from '@epd/jobs';
import { connectRedis } from '@epd/service';
import { eventually } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { launchFleet, logOnFailure, sharedOwner, type Fleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask, ended, read, submit } from './helpers/jobs.ts';
import { miniatureCases, miniatureFolder, miniatureJob } from './helpers/miniature-jobs.ts';
import { hubFiles, otherRevision } from './helpers/tiny-models.ts';

/*
 * One fleet that begins without an encoder and to which each test adds: the tests run one after the other, in
 * this order.
 */

const HUB_MODEL = 'org/tiny:decoder=eager';
/** Of another family, with positions in a grid and DeepStack. */
const QWEN = 'qwen3_vl';
const SLOW = { withinMs: 90_000 };

const [first, second] = goldenCases.filter(({ images }) => images.length === 1);
const textOnly = goldenCases.find(({ images }) => images.length === 0)!;

const owner = sharedOwner();
let fleet: Fleet;

test.before(async () => {
  fleet = await launchFleet(owner, { encoders: 0, store: 's3' });
});
test.after.always(() => owner.end());

function begin(t: ExecutionContext): void {
  t.timeout(180_000);
  logOnFailure(t, fleet);
}

test.serial(
  'text is answered with no encoder running; an image waits, says so, and is answered when one joins',
  async (t) => {
    begin(t);
    const waiting = await submit(fleet.url, goldenJob(first!));
    const text = await ask(fleet.url, goldenJob(textOnly));
    t.deepEqual(text.output?.token_ids, textOnly.token_ids);
    const detail = await eventually(async () => (await read(fleet.url, waiting.id)).status_detail);
    t.regex(detail, /encoder/);
    fleet.start('encoder');
    const job = await ended(fleet.url, waiting.id);
    t.deepEqual(job.output?.token_ids, first!.token_ids);
  },
);

test.serial(
  'a second question about a picture does not encode it again, also after every worker was restarted',
  async (t) => {
    begin(t);
    const asked = await ask(fleet.url, goldenJob(second!));
    t.deepEqual(asked.usage?.images, { encoded: 1, reused: 0 });
    const again = await ask(fleet.url, goldenJob(second!));
    t.deepEqual(again.usage?.images, { encoded: 0, reused: 1 });
    for (const role of ['encoder', 'prefill-decode'] as const) {
      await fleet.processes(role)[0]?.stop();
      fleet.start(role);
    }
    const third = await ask(fleet.url, goldenJob(second!));
    t.deepEqual(third.usage?.images, { encoded: 0, reused: 1 });
    t.deepEqual(third.output?.token_ids, second!.token_ids);
  },
);

/** Models that have a PD worker. */
async function served(url: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/models`);
  const { data } = (await response.json()) as {
    data: { id: string; workers: { prefill_decode: number } }[];
  };
  return data.filter(({ workers }) => workers.prefill_decode > 0).map(({ id }) => id);
}

test.serial(
  'a fleet of three models, one by its name on the Hub with an eager decoder and one of another family, answers mixed jobs as each alone',
  async (t) => {
    begin(t);
    const hub = await startHubServer({ 'org/tiny': { files: await hubFiles() } });
    t.teardown(() => hub.close());
    const fromHub = {
      EPD_MODEL: HUB_MODEL,
      HF_ENDPOINT: hub.url,
      HF_HOME: join(fleet.folder, 'huggingface'),
    };
    for (const env of [fromHub, { EPD_MODEL: miniatureFolder(QWEN) }]) {
      fleet.start('encoder', env);
      fleet.start('prefill-decode', env);
    }
    await eventually(async () => (await served(fleet.url)).length === 3, SLOW);
    t.deepEqual((await served(fleet.url)).toSorted(), [HUB_MODEL, QWEN, 'tiny-vlm']);

    for (const path of [HUB_MODEL, encodeURIComponent(HUB_MODEL)]) {
      t.is((await fetch(`${fleet.url}/v1/models/${path}`)).status, 200);
    }
    const unnamed = await fetch(`${fleet.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }),
    });
    t.is(unnamed.status, 400);
    t.regex(await unnamed.text(), /model.*tiny-vlm/);

    const tiny = goldenCases.flatMap((golden) =>
      ['tiny-vlm', HUB_MODEL].map((model) => ({
        body: { ...goldenJob(golden), model },
        expected: golden.token_ids,
      })),
    );
    const qwen = miniatureCases(QWEN).map((golden) => ({
      body: { ...miniatureJob(golden), model: QWEN },
      expected: golden.tokens,
    }));
    const jobs = [...tiny, ...qwen];
    const answers = await Promise.all(jobs.map(({ body }) => ask(fleet.url, body)));
    for (const [index, answer] of answers.entries()) {
      t.deepEqual(
        answer.output?.token_ids,
        jobs[index]?.expected,
        `job ${index}: ${answer.error?.message}`,
      );
    }
    // Two models with one vision encoder share embeddings: each picture is encoded once for both.
    const encoded = answers
      .slice(0, tiny.length)
      .reduce((sum, { usage }) => sum + (usage?.images.encoded ?? 0), 0);
    t.true(encoded <= new Set(goldenCases.flatMap(({ images }) => images)).size);
  },
);

/** Tokens in the order of a job's stream. */
async function streamed(id: string): Promise<number[]> {
  const redis = connectRedis(fleet.env['EPD_REDIS_URL'] ?? '', { name: 'test' });
  const jobs = new RedisJobStore({ redis, prefix: fleet.env['EPD_PREFIX'] ?? '' });
  const events = await jobs.events(id, 0);
  await jobs.close();
  redis.disconnect();
  return events.flatMap((event) => (event.type === 'tokens' ? event.ids : []));
}

test.serial(
  'an answer about pictures with positions in a grid is resumed where its worker died',
  async (t) => {
    begin(t);
    const asked = miniatureCases(QWEN).find(({ images }) => images.length > 1)!;
    const env = { EPD_MODEL: miniatureFolder(QWEN) };
    await fleet.processes('prefill-decode').at(-1)?.stop();
    const dying = fleet.start('prefill-decode', {
      ...env,
      EPD_FAULT_HANG_AT_STEP: '8',
      EPD_PD_RUN_TIMEOUT_MS: '12000',
    });
    const { id } = await submit(fleet.url, { ...miniatureJob(asked), model: QWEN });
    if (dying.child.exitCode === null) await once(dying.child, 'exit');
    const before = await streamed(id);
    t.true(before.length > 0 && before.length < asked.tokens.length, before.join());
    fleet.start('prefill-decode', env);
    const job = await ended(fleet.url, id, SLOW.withinMs);
    t.deepEqual(job.output?.token_ids, asked.tokens, job.error?.message);
    t.deepEqual(await streamed(id), asked.tokens);
  },
);

const COUNT = {
  model: 'tiny-vlm',
  messages: [{ role: 'user', content: 'count to 5' }],
  temperature: 0,
  max_tokens: 24,
};

async function countedTo5(): Promise<Set<string>> {
  const jobs = await Promise.all(Array.from({ length: 20 }, () => ask(fleet.url, COUNT)));
  return new Set(jobs.map(({ output }) => output?.text ?? 'nothing'));
}

test.serial('of two models under one name one answers, until the name is moved', async (t) => {
  begin(t);
  const redis = connectRedis(fleet.env['EPD_REDIS_URL'] ?? '', { name: 'test' });
  t.teardown(() => redis.disconnect());
  const registry = new RedisModelRegistry(redis, fleet.env['EPD_PREFIX'] ?? '');
  fleet.start('prefill-decode', { EPD_MODEL: await otherRevision(fleet.folder) });
  const both = await eventually(async () => {
    const all = await registry.revisions('tiny-vlm');
    return all.length === 2 && all;
  }, SLOW);
  const before = await countedTo5();
  t.is(before.size, 1);
  const next = both.find(({ serving }) => !serving);
  t.true(await registry.serve('tiny-vlm', next?.revision ?? ''));
  const after = await eventually(async () => {
    const seen = await countedTo5();
    return seen.size === 1 && !before.isSupersetOf(seen) ? seen : null;
  }, SLOW);
  t.true(after.isDisjointFrom(before));
});
