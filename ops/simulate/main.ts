import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { projectPath } from '@epd/service';
import { generateTrace, imageBursts } from './generate-trace.ts';
import { multiplyLoad } from './load.ts';
import { USAGE, readOptions, type Options } from './options.ts';
import { fixedStrategy, planSplit, planWhole } from './plan.ts';
import { plot } from './plot.ts';
import { answer, table } from './report.ts';
import { readScaling, type ScalingSettings } from './settings.ts';
import { simulate, type Strategy } from './simulate.ts';
import { parseStageTimes } from './stage-times.ts';
import { summarize } from './statistics.ts';
import { parseTrace, type TraceRequest } from './trace.ts';

const SHIPPED = 'ops/simulate/traces/image-bursts.csv';

async function main(options: Options): Promise<void> {
  const times = parseStageTimes(await readFile(projectPath(options.times), 'utf8'));
  const scaling = await readScaling(projectPath(options.values));
  const trace = multiplyLoad(await readTrace(options), options.load, options.seed);
  const settings = {
    ...options.settings,
    encodeBatch: Math.max(
      1,
      Math.floor(options.settings.batchTokens / (trace[0]?.imageTokens || 1)),
    ),
    pollMs: scaling.pollingSeconds * 1000,
  };
  const { objective, lostMax, prices, most } = options;
  const input = { trace, times, settings, objective, lostMax, prices, most };
  const [split, whole] = [planSplit(input), planWhole(input)];
  const fixed = options.fixed ?? [split?.encoders ?? most, split?.decoders ?? most];
  const outcomes = strategies(scaling, fixed).map((strategy) =>
    simulate(trace, times, strategy, settings),
  );
  const text = trace.filter(({ images }) => images.length === 0).length;
  process.stdout.write(
    [
      `${trace.length} requests (${text} of text alone) in ${((trace.at(-1)?.atMs ?? 0) / 60_000).toFixed(1)} minutes`,
      `Stage times of ${times.model} on ${times.hardware}, measured by: ${times.measuredBy}`,
      '',
      table(outcomes.map((outcome) => summarize(outcome, objective, prices))),
      '',
      answer(split, whole, objective, lostMax),
      '',
    ].join('\n'),
  );
  const path = projectPath(options.svg);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(
    path,
    plot(`${trace.length} requests, ${times.model} on ${times.hardware}`, trace, outcomes),
  );
  process.stdout.write(`The plot is in ${path}\n`);
}

async function readTrace({ trace, generate, seed }: Options): Promise<TraceRequest[]> {
  if (generate) return generateTrace({ ...imageBursts, seed });
  return parseTrace(await readFile(projectPath(trace ?? SHIPPED), 'utf8'));
}

/** A monolith is scaled like the decoder, whose queue its requests are in, and up to the same sum. */
function strategies(
  { encoder, prefillDecode }: ScalingSettings,
  [encoders, decoders]: readonly [number, number],
): Strategy[] {
  const wholeScaler = { ...prefillDecode, max: encoder.max + prefillDecode.max };
  return [
    { name: 'monolith, scaled whole', whole: { start: wholeScaler.min, scaler: wholeScaler } },
    fixedStrategy(`fixed ${encoders}:${decoders}`, encoders, decoders),
    {
      name: 'E and PD, each scaled',
      encoders: { start: encoder.min, scaler: encoder },
      decoders: { start: prefillDecode.min, scaler: prefillDecode },
    },
  ];
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
