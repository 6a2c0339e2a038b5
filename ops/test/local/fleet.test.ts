import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Redis } from 'ioredis';
import { eventually, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import { isRunning, launch, launched } from './launched.ts';

const report = async (url: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${url}/readyz`)).json()) as Record<string, unknown>;

/** An object of the S3 server that a fleet was given. */
async function object(url: string, init: RequestInit = {}): Promise<string> {
  const { s3Endpoint, s3Bucket } = await report(url);
  return (await fetch(`${String(s3Endpoint)}/${String(s3Bucket)}/some/key`, init)).text();
}

test.serial(
  'a fleet comes up with a Redis of its own, which keeps its data in the data folder',
  async (t) => {
    const fleet = await launched(t, { args: ['--encoders', '2', '--pds', '1'] });
    const given = await report(fleet.url);
    t.like(given, {
      ready: true,
      prefix: 'epd',
      store: 'folder',
      storeDir: join(fleet.folder, 'store'),
    });
    const redis = new Redis(String(given['redisUrl']));
    t.teardown(() => redis.disconnect());
    t.deepEqual(await redis.config('GET', 'appendonly'), ['appendonly', 'yes']);
    t.deepEqual(await redis.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction']);
    t.true(existsSync(join(fleet.folder, 'redis/appendonlydir')));
    const names = (await fleet.state()).processes.map(({ name }) => name);
    t.deepEqual(names, ['redis', 'encoder-1', 'encoder-2', 'prefill-decode-1', 'api-1']);
  },
);

test.serial(
  'SIGTERM stops the API first, then the workers, then Redis, and leaves nothing running',
  async (t) => {
    const fleet = await launched(t);
    const { processes } = await fleet.state();
    fleet.child.kill('SIGTERM');
    t.is(await fleet.exited, 0);
    t.deepEqual((await readFile(join(fleet.folder, 'stopped'), 'utf8')).split('\n'), [
      'api',
      'worker',
      'worker',
      '',
    ]);
    t.deepEqual(
      processes.filter(({ pid }) => isRunning(pid)),
      [],
    );
    t.false(existsSync(join(fleet.folder, 'fleet.json')));
  },
);

test.serial(
  'what a fleet wrote to its Redis is there again when it is started again',
  async (t) => {
    const first = await launched(t);
    const before = new Redis(String((await report(first.url))['redisUrl']));
    await before.set('kept', 'yes');
    before.disconnect();
    first.child.kill('SIGTERM');
    await first.exited;
    const second = await launched(t, { folder: first.folder });
    const after = new Redis(String((await report(second.url))['redisUrl']));
    t.teardown(() => after.disconnect());
    t.is(await after.get('kept'), 'yes');
  },
);

test.serial('a launcher that is killed leaves no process behind', async (t) => {
  const fleet = await launched(t);
  const { processes } = await fleet.state();
  t.true(processes.every(({ pid }) => isRunning(pid)));
  fleet.child.kill('SIGKILL');
  await eventually(() => !processes.some(({ pid }) => isRunning(pid)), { withinMs: 20_000 });
  t.pass();
});

test.serial('a worker that dies is restarted, and reported', async (t) => {
  const fleet = await launched(t);
  const pid = (await fleet.state()).processes.find(({ name }) => name === 'encoder-1')?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const again =
      (await fleet.state()).processes.find(({ name }) => name === 'encoder-1')?.pid ?? null;
    return again !== pid && isRunning(again);
  });
  t.regex(fleet.output(), /encoder-1 was killed by SIGKILL; restarting in 0\.25 s/);
});

test.serial('a Redis of your own is used, and no other is started', async (t) => {
  const prefix = testPrefix();
  const fleet = await launched(t, { env: { EPD_REDIS_URL: testRedisUrl(), EPD_PREFIX: prefix } });
  t.like(await report(fleet.url), { redisUrl: testRedisUrl(), prefix });
  t.false((await fleet.state()).processes.some(({ name }) => name === 'redis'));
});

test.serial(
  'two fleets on one Redis keep their keys apart when nobody names a prefix',
  async (t) => {
    const env = { EPD_REDIS_URL: testRedisUrl() };
    const [one, two] = await Promise.all([launched(t, { env }), launched(t, { env })]);
    t.not((await report(one.url))['prefix'], (await report(two.url))['prefix']);
  },
);

test.serial(
  '--store s3 without settings starts an S3 server whose objects outlive it',
  async (t) => {
    const first = await launched(t, { args: ['--store', 's3'] });
    await object(first.url, { method: 'PUT', body: 'hello' });
    first.child.kill('SIGTERM');
    await first.exited;
    const second = await launched(t, { args: ['--store', 's3'], folder: first.folder });
    t.is(await object(second.url), 'hello');
  },
);

test.serial('--store s3 with settings uses them', async (t) => {
  const env = { EPD_S3_ENDPOINT: 'http://127.0.0.1:1', EPD_S3_BUCKET: 'mine' };
  const fleet = await launched(t, { args: ['--store', 's3'], env });
  t.like(await report(fleet.url), {
    store: 's3',
    s3Endpoint: 'http://127.0.0.1:1',
    s3Bucket: 'mine',
  });
  t.false((await fleet.state()).processes.some(({ name }) => name === 's3'));
});

test.serial('a second fleet on the same data folder is refused, with the ways out', async (t) => {
  const first = await launched(t);
  const second = await launch(t, { folder: first.folder });
  t.is(await second.exited, 1);
  t.regex(second.output(), /A fleet already runs on .*EPD_DATA_DIR=/s);
  t.notRegex(second.output(), /Stopp/, 'nothing was started, and the other keeps running');
  t.true((await first.state()).pid === first.child.pid);
});

test.serial('a port that is taken ends the start, with the way out', async (t) => {
  const first = await launched(t);
  const second = await launch(t, { env: { EPD_PORT: new URL(first.url).port } });
  t.is(await second.exited, 1);
  t.regex(second.output(), /Port \d+ of 127\.0\.0\.1 is not available.*EPD_PORT=/s);
});

test.serial('a process that does not stay up ends the start, with what it wrote', async (t) => {
  const fleet = await launch(t, { env: { STAND_IN_BROKEN: 'true' } });
  t.is(await fleet.exited, 1);
  t.regex(fleet.output(), /does not stay up\. The end of .*the model folder is empty/s);
});

test.serial('what is wrong with a setting is said once, and not among log records', async (t) => {
  const fleet = await launch(t, { env: { STAND_IN_BROKEN: 'perhaps' } });
  t.is(await fleet.exited, 1);
  const [, why = ''] = fleet.output().split('cannot start. The end of');
  t.is(why.match(/STAND_IN_BROKEN: must be true or false/g)?.length, 1, why);
  t.notRegex(why, /"level"/);
});

test.serial('a folder without a model ends the start before anything runs', async (t) => {
  const nowhere = await tempFolder(t);
  const given = await launch(t, { env: { EPD_MODEL_DIR: nowhere } });
  t.is(await given.exited, 1);
  t.true(given.output().includes(`EPD_MODEL_DIR: must be a model's folder`), given.output());
  t.true(given.output().includes(`it is "${nowhere}"`), given.output());
  t.notRegex(given.output(), /Stopp/);
});

test.serial(
  'a Redis of your own that does not answer ends the start, without its password',
  async (t) => {
    const fleet = await launch(t, { env: { EPD_REDIS_URL: 'redis://:hidden@127.0.0.1:1' } });
    t.is(await fleet.exited, 1);
    t.regex(fleet.output(), /127\.0\.0\.1:1 did not respond/);
    t.notRegex(fleet.output(), /hidden/);
  },
);
