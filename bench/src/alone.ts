import { requestStages, STAGES, type StageTimes } from './alone/request-stages.ts';
import type { BenchFleet } from './fleet/fleet.ts';
import type { Harness } from './harness.ts';
import { timeToFirstToken } from './load/run-load.ts';
import { median } from './percentiles.ts';
import type { Picture, Question, Target } from './question.ts';
import type { Findings } from './report/json.ts';
import { table, type Cell } from './table.ts';

const KINDS = ['new picture', 'stored picture', 'text'] as const;
type Kind = (typeof KINDS)[number];

interface Sample {
  readonly kind: Kind;
  readonly ttftMs: number;
  readonly peerMs: number;
  readonly stages: StageTimes;
}

const ROUNDS = 8;
const FULL_ROUNDS = 24;
/** The first of each kind opens connections, queues and sessions. */
const WARM_UP_ROUNDS = 2;

/** One request's way to its first token, stage by stage, with nothing else to do; the peer has the same. */
export async function alone(harness: Harness): Promise<Findings> {
  const fleet = await harness.startFleet();
  const peer = await harness.startPeer();
  const rounds = harness.options.full ? FULL_ROUNDS : ROUNDS;
  const samples: Sample[] = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const measured = await measureRound(harness, fleet, peer, round + WARM_UP_ROUNDS);
    if (round >= 0) samples.push(...measured);
  }
  const of = (kind: Kind): Sample[] => samples.filter((sample) => sample.kind === kind);
  const over = (kind: Kind): number | null =>
    median(of(kind).map(({ ttftMs, peerMs }) => ttftMs / peerMs));
  return {
    tables: [stagesTable(of)],
    ratios: {
      newPicture: over('new picture'),
      storedPicture: over('stored picture'),
      textAddedMs: median(of('text').map(({ ttftMs, peerMs }) => ttftMs - peerMs)),
    },
    samples,
    notes: [...harness.notes, `medians of ${rounds} rounds`],
  };
}

async function measureRound(
  harness: Harness,
  fleet: BenchFleet,
  peer: Target,
  round: number,
): Promise<Sample[]> {
  const [picture] = await harness.newPictures(1);
  if (picture === undefined) throw new RangeError('Needs a picture');
  const questions: Record<Kind, Question> = {
    'new picture': ask(`Album ${round}. What is in the image?`, picture),
    // Another beginning: of the KV cache nothing serves.
    'stored picture': ask(`Page ${round}. What is in the image?`, picture),
    text: ask(`${round}. What is ${round} plus ${7 * round}?`),
  };
  const samples: Sample[] = [];
  for (const kind of KINDS) {
    const { id, answer } = await fleet.client.askJob(questions[kind]);
    const ttftMs = firstOf(timeToFirstToken(answer));
    const peerMs = firstOf(timeToFirstToken(await peer.ask(questions[kind])));
    const stages = requestStages(await fleet.client.record(id), ttftMs);
    samples.push({ kind, ttftMs, peerMs, stages });
  }
  return samples;
}

/** The text comes first, so that another text is another prompt. */
const ask = (text: string, image?: Picture): Question => ({
  parts: image === undefined ? [{ text }] : [{ text }, { image }],
  maxTokens: 2,
  ignoreEos: true,
});

function firstOf([ms]: readonly number[]): number {
  if (ms === undefined) throw new Error('The answer has no token');
  return ms;
}

function stagesTable(of: (kind: Kind) => readonly Sample[]): string {
  const row = (name: string, value: (sample: Sample) => number | null): Cell[] => [
    name,
    ...KINDS.map((kind) => median(of(kind).flatMap((sample) => value(sample) ?? []))),
  ];
  return table(
    ['median ms', ...KINDS],
    [
      ...STAGES.map((stage) => row(stage, ({ stages }) => stages[stage])),
      row('to the first token', ({ ttftMs }) => ttftMs),
      row('the peer', ({ peerMs }) => peerMs),
    ],
  );
}
