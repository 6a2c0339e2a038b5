import { modelNotes, type Harness } from './harness.ts';
import type { Findings } from './json.ts';
import { runLoad, timePerToken } from './load/run-load.ts';
import { textOnly, uniqueImages } from './load/workloads.ts';
import { median, summarize, type Summary } from './percentiles.ts';
import { canPin, pin } from './pin.ts';
import type { Answer, Question, Target } from './question.ts';
import { table } from './table.ts';

const STREAMS = 4;
const TOKENS = 128;
/** The decoder has a core for itself; whatever takes pictures in, encodes and reads answers has the other. */
const DECODER_CORE = '0';
const OTHER_CORE = '1';

interface Sample {
  readonly target: string;
  readonly phase: 'idle' | 'burst';
  readonly round: number;
  /** Mean time per token after the first, of each stream. */
  readonly tpot: Summary;
  /** Time between any two tokens of a stream. */
  readonly gap: Summary;
  readonly picturesAnswered: number;
}

/** How much a burst of pictures slows text streams that are under way. */
export async function isolation(harness: Harness): Promise<Findings> {
  const pins = canPin();
  if (pins) pin(process.pid, OTHER_CORE);
  const fleet = await harness.startFleet({
    env: { encoder: { EPD_ENCODER_THREADS: '1' }, 'prefill-decode': { EPD_PD_THREADS: '1' } },
    ...(pins
      ? {
          cores: {
            'prefill-decode': DECODER_CORE,
            encoder: OTHER_CORE,
            api: OTHER_CORE,
            redis: OTHER_CORE,
          },
        }
      : {}),
  });
  const peer = await harness.startPeer();
  const samples: Sample[] = [];
  for (const target of [fleet.client, peer]) samples.push(...(await measure(harness, target)));
  return {
    tables: [tableOf(samples)],
    ratios: {
      p50: ratio(samples, 'fleet', 'p50'),
      p99: ratio(samples, 'fleet', 'p99'),
      gapP99: ratio(samples, 'fleet', 'p99', 'gap'),
      peerP99: ratio(samples, 'peer', 'p99'),
    },
    samples,
    notes: [
      ...modelNotes(harness.model),
      pins
        ? `decoder on core ${DECODER_CORE}; encoder, API, Redis and clients on core ${OTHER_CORE}; the peer on both`
        : 'processes could not be held to cores here',
    ],
  };
}

async function measure(harness: Harness, target: Target): Promise<Sample[]> {
  const samples: Sample[] = [];
  const rounds = harness.options.full ? 4 : 2;
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

/** As many as keep an encoder busy for about as long as the streams last. */
function burstSize({ model, options }: Harness): number {
  return (model.name === 'tiny-vlm' ? 32 : 8) * (options.full ? 2 : 1);
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
  const { answers } = await streams;
  const answered = await pictures;
  return {
    target: target.name,
    phase: name,
    round,
    tpot: summarize(answers.flatMap(timePerToken)),
    gap: summarize(answers.flatMap(gaps)),
    picturesAnswered: answered.length,
  };
}

/** Between one token and the next of an answer; tokens that came in one message share its time. */
const gaps = ({ tokenMs }: Answer): number[] =>
  tokenMs.slice(1).map((ms, i) => ms - (tokenMs[i] ?? ms));

function ratio(
  samples: readonly Sample[],
  target: Target['name'],
  rank: 'p50' | 'p99',
  of: 'tpot' | 'gap' = 'tpot',
): number | null {
  const values = (phaseName: Sample['phase']): number[] =>
    samples
      .filter((sample) => sample.target === target && sample.phase === phaseName)
      .flatMap((sample) => sample[of][rank] ?? []);
  const [burst, idle] = [median(values('burst')), median(values('idle'))];
  return burst === null || idle === null ? null : burst / idle;
}

function tableOf(samples: readonly Sample[]): string {
  const headings = [
    '',
    'phase',
    'pictures',
    'TPOT p50 ms',
    'TPOT p99 ms',
    'gap p50 ms',
    'gap p99 ms',
    'gap max ms',
  ];
  return table(
    headings,
    samples.map(({ target, phase: name, picturesAnswered, tpot, gap }) => [
      target,
      name,
      picturesAnswered,
      tpot.p50,
      tpot.p99,
      gap.p50,
      gap.p99,
      gap.max,
    ]),
  );
}
