import { FleetClient } from './fleet/fleet-client.ts';
import type { Harness } from './harness.ts';
import type { Findings } from './report/json.ts';
import { runLoad, timePerToken } from './load/run-load.ts';
import { textOnly, uniqueImages } from './load/workloads.ts';
import { summarize, type Summary } from './percentiles.ts';
import { ALL_CORES, canPin, pinSelf } from './pin.ts';
import type { Answer, Question, Target } from './question.ts';
import { table } from './table.ts';

const STREAMS = 4;
/** Two rounds of streams of this length last about as long as the burst; the second begins beside it. */
const TOKENS = 128;
/** The decoder has a core to itself; what else there is, clients included, is with the encoder on the other. */
const DECODER_CORE = '0';
const OTHER_CORE = '1';
const CORES = {
  'prefill-decode': DECODER_CORE,
  encoder: OTHER_CORE,
  api: OTHER_CORE,
  redis: OTHER_CORE,
};

interface Sample {
  readonly target: string;
  readonly phase: 'idle' | 'burst';
  readonly round: number;
  /** Mean time per token after the first, of each stream. */
  readonly tpotMs: readonly number[];
  /** Time between a token and the next, of all streams. */
  readonly gapMs: readonly number[];
  /** The same by the PD worker's own clock, before anything carried the tokens; the fleet's only. */
  readonly engineTpotMs: readonly number[];
  /** From the submission to the end, of each stream. */
  readonly latencyMs: readonly number[];
  readonly picturesAnswered: number;
}

/** How much a burst of pictures slows text streams that are under way. */
export async function isolation(harness: Harness): Promise<Findings> {
  const pins = canPin();
  const fleet = await harness.startFleet({
    env: { encoder: { EPD_ENCODER_THREADS: '1' }, 'prefill-decode': { EPD_PD_THREADS: '1' } },
    ...(pins ? { cores: CORES } : {}),
  });
  const peer = await harness.startPeer();
  const samples: Sample[] = [];
  if (pins) pinSelf(OTHER_CORE);
  samples.push(...(await measureTarget(harness, fleet.client)));
  if (pins) pinSelf(ALL_CORES);
  samples.push(...(await measureTarget(harness, peer)));
  return {
    tables: [tableOf(samples)],
    ratios: {
      p50: ratio(samples, 'fleet', 'tpotMs', 'p50'),
      p99: ratio(samples, 'fleet', 'tpotMs', 'p99'),
      engineP99: ratio(samples, 'fleet', 'engineTpotMs', 'p99'),
      gapP99: ratio(samples, 'fleet', 'gapMs', 'p99'),
      answerP99: ratio(samples, 'fleet', 'latencyMs', 'p99'),
      peerAnswerP99: ratio(samples, 'peer', 'latencyMs', 'p99'),
    },
    samples,
    notes: [
      ...harness.notes,
      pins
        ? `decoder on core ${DECODER_CORE}, encoder and everything else on core ${OTHER_CORE}; the peer on both`
        : 'processes could not be held to cores here',
    ],
  };
}

async function measureTarget(harness: Harness, target: Target): Promise<Sample[]> {
  const samples: Sample[] = [];
  const rounds = roundsOf(harness, target);
  await runLoad(target, textOnly(STREAMS, 0, 16), STREAMS);
  for (let round = 0; round < rounds; round++) {
    const seed = 1 + round;
    samples.push(await phase(target, 'idle', round, textOnly(2 * STREAMS, 100 * seed, TOKENS), []));
    const pictures = await harness.newPictures(burstSize(harness));
    const burst = uniqueImages(pictures, { maxTokens: 1, ignoreEos: true });
    samples.push(
      await phase(target, 'burst', round, textOnly(2 * STREAMS, 200 * seed, TOKENS), burst),
    );
  }
  return samples;
}

/**
 * Eight streams a phase: a 99th percentile wants rounds. A heavy model's peer answers its streams one after the
 * other, which takes a minute a phase.
 */
function roundsOf({ model, options }: Harness, target: Target): number {
  const tiny = model.name === 'tiny-vlm';
  if (target.name === 'peer') return tiny ? 5 : 1;
  return (tiny ? 15 : 2) * (options.full ? 2 : 1);
}

/** As many as keep an encoder busy for about as long as the streams last. */
function burstSize({ model }: Harness): number {
  return model.name === 'tiny-vlm' ? 32 : 6;
}

async function phase(
  target: Target,
  name: Sample['phase'],
  round: number,
  texts: readonly Question[],
  burst: readonly Question[],
): Promise<Sample> {
  const streams = runLoad(target, texts, STREAMS);
  const pictures = Promise.all(burst.map((question) => target.ask(question)));
  const { answers, stats } = await streams;
  const answered = await pictures;
  return {
    target: target.name,
    phase: name,
    round,
    tpotMs: answers.flatMap(timePerToken),
    engineTpotMs: await engineTimes(target, answers),
    gapMs: answers.flatMap(gaps),
    latencyMs: stats.latencyMs,
    picturesAnswered: answered.length,
  };
}

async function engineTimes(target: Target, answers: readonly Answer[]): Promise<number[]> {
  if (!(target instanceof FleetClient)) return [];
  const records = await Promise.all(answers.map(({ jobId = '' }) => target.record(jobId)));
  return records.flatMap(({ timings }) =>
    typeof timings['tpot_ms'] === 'number' ? [timings['tpot_ms']] : [],
  );
}

/** Between one token and the next of an answer; tokens that came in one message share its time. */
const gaps = ({ tokenMs }: Answer): number[] =>
  tokenMs.slice(1).map((ms, i) => ms - (tokenMs[i] ?? ms));

type Measure = 'tpotMs' | 'engineTpotMs' | 'gapMs' | 'latencyMs';

/** All rounds of a target's phase taken together. */
const pooled = (
  samples: readonly Sample[],
  target: Target['name'],
  phaseName: Sample['phase'],
  measure: Measure,
): Summary =>
  summarize(
    samples
      .filter((sample) => sample.target === target && sample.phase === phaseName)
      .flatMap((sample) => sample[measure]),
  );

/** Beside the burst over idle. */
function ratio(
  samples: readonly Sample[],
  target: Target['name'],
  measure: Measure,
  rank: 'p50' | 'p99',
): number | null {
  const burst = pooled(samples, target, 'burst', measure)[rank];
  const idle = pooled(samples, target, 'idle', measure)[rank];
  return burst === null || idle === null ? null : burst / idle;
}

function tableOf(samples: readonly Sample[]): string {
  const headings = [
    '',
    'phase',
    'TPOT p50 ms',
    'TPOT p99 ms',
    'engine p50 ms',
    'engine p99 ms',
    'gap p50 ms',
    'gap p99 ms',
    'gap max ms',
    'answer p50 ms',
    'answer p99 ms',
  ];
  const rows = (['fleet', 'peer'] as const).flatMap((target) =>
    (['idle', 'burst'] as const).map((name) => {
      const of = (measure: Measure): Summary => pooled(samples, target, name, measure);
      const [tpot, engine, gap] = [of('tpotMs'), of('engineTpotMs'), of('gapMs')];
      const latency = of('latencyMs');
      return [
        target,
        name,
        tpot.p50,
        tpot.p99,
        engine.p50,
        engine.p99,
        gap.p50,
        gap.p99,
        gap.max,
        latency.p50,
        latency.p99,
      ];
    }),
  );
  return table(headings, rows);
}
