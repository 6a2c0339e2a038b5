import { eventually, memoryOf } from '@epd/service/testing';
import test from 'ava';
import { startFleet, type Fleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ended, read, submit } from './helpers/jobs.ts';
import { miniatureCases, miniatureFolder, miniatureJob } from './helpers/miniature-jobs.ts';

const JOBS = 200;
/** Positions in three dimensions: what is resumed has to count on from the image's. */
const QWEN = 'qwen2_5_vl';
const ROLES = ['encoder', 'prefill-decode'] as const;

interface Asked {
  readonly model: string;
  readonly body: object;
  readonly tokens: readonly number[];
}

const qwen = miniatureCases(QWEN);
const asked: readonly Asked[] = Array.from({ length: JOBS }, (_, i) => {
  const at = Math.floor(i / 2) * 7;
  const golden = goldenCases[at % goldenCases.length]!;
  const small = qwen[at % qwen.length]!;
  return i % 2 === 0
    ? { model: 'tiny-vlm', body: goldenJob(golden), tokens: golden.token_ids }
    : { model: QWEN, body: miniatureJob(small), tokens: small.tokens };
});

async function servesBoth({ url }: Fleet): Promise<boolean> {
  const response = await fetch(`${url}/v1/models`);
  const { data } = (await response.json()) as {
    data: { workers: { prefill_decode: number; encoder: number } }[];
  };
  const ready = data.filter(({ workers }) => workers.prefill_decode > 1 && workers.encoder > 0);
  return ready.length === 2;
}

test('200 jobs of two families at once, a worker of each killed among them: all are what PyTorch answers', async (t) => {
  t.timeout(300_000);
  const fleet = await startFleet(t, { pds: 2 });
  const env = { EPD_MODEL: miniatureFolder(QWEN) };
  for (const role of [...ROLES, 'prefill-decode'] as const) fleet.start(role, env);
  await eventually(() => servesBoth(fleet), { withinMs: 120_000 });

  const jobs = await Promise.all(
    asked.map(({ model, body }) => submit(fleet.url, { model, ...body })),
  );
  // The first of each model's two, when some of its answers are there and others are not.
  for (const [model, at] of [
    ['tiny-vlm', 0],
    [QWEN, 2],
  ] as const) {
    const own = jobs.filter((_, i) => asked[i]?.model === model);
    await eventually(async () => (await read(fleet.url, own[20]!.id)).status === 'completed', {
      withinMs: 120_000,
    });
    await fleet.processes('prefill-decode')[at]?.stop('SIGKILL');
  }
  const answers = await Promise.all(jobs.map(({ id }) => ended(fleet.url, id, 200_000)));
  const wrong = answers.filter(
    ({ output }, i) => JSON.stringify(output?.token_ids) !== JSON.stringify(asked[i]?.tokens),
  );
  t.deepEqual(wrong, []);

  for (const role of ROLES)
    for (const { child } of fleet.processes(role))
      if (child.exitCode === null && child.signalCode === null)
        t.log(`peak memory: ${role} ${(await memoryOf(child)).peak.toFixed(0)} MiB`);
});
