import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { Random } from './random.ts';
import type { StageTimes } from './stage-times.ts';

const USAGE = `node ops/simulate/measure.ts --api URL [--key KEY] [--hardware TEXT] > times.json

Measures what each stage takes in a running fleet, through its API alone, and writes the stage times
for \`npm run simulate\`. The fleet should have one encoder, one prefill/decode worker that drafts no
tokens (EPD_DRAFT_TOKENS=0), and no other load.
`;

interface Timings {
  readonly prefill_ms?: number;
  readonly ttft_ms?: number;
  readonly tpot_ms?: number;
  readonly images: readonly {
    readonly source?: string;
    readonly preprocess_ms?: number;
    readonly encode_ms?: number;
    readonly save_ms?: number;
    readonly load_ms?: number;
    readonly batch?: number;
  }[];
}

interface Job {
  readonly id: string;
  readonly status: string;
  readonly model: string;
  readonly error: { readonly message: string } | null;
  readonly usage: { readonly prompt_tokens: number } | null;
  readonly timings: Timings;
}

type Content = string | readonly object[];

/** Requests at a time for the second point of the line through decode steps. */
const ROWS = 8;
const REPEATS = 5;
const IMAGE_BURSTS = [1, 2, 4, 8, 16];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      api: { type: 'string' },
      key: { type: 'string' },
      hardware: { type: 'string', default: `${cpus().length} cores of ${cpus()[0]?.model.trim()}` },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.api === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const ask = client(values.api, values.key);
  const { model } = await ask('Warm up.', 8);
  const decode = await decodeTimes(ask);
  const times: StageTimes = {
    model,
    hardware: values.hardware,
    measuredBy: 'node ops/simulate/measure.ts --api URL',
    measuredAt: new Date().toISOString().slice(0, 10),
    ...(await imageTimes(ask)),
    step: { ...decode, perPrefillTokenMs: await prefillTime(ask, decode.baseMs) },
  };
  process.stdout.write(`${JSON.stringify(times, null, 2)}\n`);
}

type Ask = ReturnType<typeof client>;

function client(api: string, key?: string) {
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  const call = async (path: string, init: RequestInit = {}): Promise<Job> => {
    const response = await fetch(new URL(path, api), { headers, ...init });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Job;
  };
  return async (content: Content, maxTokens: number): Promise<Job> => {
    const body = JSON.stringify({
      messages: [{ role: 'user', content }],
      max_tokens: maxTokens,
      temperature: 0,
      ignore_eos: true,
    });
    let job = await call('/v1/jobs', { method: 'POST', body });
    while (['queued', 'in_progress'].includes(job.status)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      job = await call(`/v1/jobs/${job.id}`);
    }
    if (job.status !== 'completed') throw new Error(`${job.status}: ${job.error?.message}`);
    return job;
  };
}

/** A step with one row and one with several give its fixed part and the part of each row. */
async function decodeTimes(ask: Ask): Promise<{ baseMs: number; perRowMs: number }> {
  const alone = await repeat(() => ask('Count.', 64).then(({ timings }) => [timings.tpot_ms]));
  const together = await repeat(async () => {
    const jobs = Array.from({ length: ROWS }, (_, row) => ask(`Count from ${row}.`, 64));
    return (await Promise.all(jobs)).map(({ timings }) => timings.tpot_ms);
  });
  const perRowMs = Math.max(0, (median(together) - median(alone)) / (ROWS - 1));
  return { baseMs: rounded(median(alone) - perRowMs), perRowMs: rounded(perRowMs) };
}

/** Of prompts that share no prefix, so that no KV is cached. */
async function prefillTime(ask: Ask, baseMs: number): Promise<number> {
  const random = new Random(Date.now());
  const perToken = await repeat(async () => {
    const words = Array.from({ length: 60 }, () => String(random.integer(100, 999)));
    const { usage, timings } = await ask(words.join(' '), 2);
    const tokens = usage?.prompt_tokens ?? 0;
    return [((timings.prefill_ms ?? Number.NaN) - baseMs) / tokens];
  });
  return rounded(Math.max(0, median(perToken)));
}

async function imageTimes(
  ask: Ask,
): Promise<Pick<StageTimes, 'encodeMs' | 'preprocessMs' | 'saveMs' | 'loadMs'>> {
  const seen: Timings['images'][number][] = [];
  for (const size of IMAGE_BURSTS) {
    for (let turn = 0; turn < REPEATS; turn += 1) {
      const jobs = Array.from({ length: size }, async () =>
        ask([{ type: 'text', text: 'What is this?' }, await picture()], 2),
      );
      seen.push(...(await Promise.all(jobs)).flatMap(({ timings }) => timings.images));
    }
  }
  const encoded = seen.filter(
    ({ encode_ms: ms, batch }) => ms !== undefined && batch !== undefined,
  );
  const batches = [...new Set(encoded.map(({ batch }) => batch!))].filter((batch) => batch > 0);
  return {
    encodeMs: batches
      .toSorted((a, b) => a - b)
      .map((batch) => ({
        batch,
        ms: rounded(
          median(encoded.filter((one) => one.batch === batch).map((one) => one.encode_ms)),
        ),
      })),
    preprocessMs: rounded(median(seen.map((one) => one.preprocess_ms))),
    saveMs: rounded(median(seen.map((one) => one.save_ms))),
    loadMs: rounded(median(seen.map((one) => one.load_ms))),
  };
}

/** Noise that was never sent before. */
async function picture(): Promise<object> {
  const [width, height] = [320, 240];
  const pixels = crypto.getRandomValues(new Uint8Array(width * 3));
  const rows = Buffer.concat(Array.from({ length: height }, () => pixels));
  const png = await sharp(rows, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const url = `data:image/png;base64,${png.toString('base64')}`;
  return { type: 'image_url', image_url: { url } };
}

async function repeat(
  measure: () => Promise<(number | undefined)[]>,
): Promise<(number | undefined)[]> {
  const all: (number | undefined)[] = [];
  for (let turn = 0; turn < REPEATS; turn += 1) all.push(...(await measure()));
  return all;
}

function median(values: readonly (number | undefined)[]): number {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function rounded(ms: number): number {
  return Number(ms.toPrecision(3));
}

await main();
