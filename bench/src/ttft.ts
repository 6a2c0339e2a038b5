import type { BenchFleet } from './fleet/fleet.ts';
import type { Harness } from './harness.ts';
import type { Findings } from './report/json.ts';
import { runLoad, timeToFirstToken } from './load/run-load.ts';
import { textOnly, uniqueImages } from './load/workloads.ts';
import { median, summarize } from './percentiles.ts';
import type { Part, Picture, Question, Target } from './question.ts';
import { table } from './table.ts';

/** Sentences of text before the picture where overlap is measured: some 400 tokens. */
const LONG_TEXT_SENTENCES = 24;

/** Times to the first token in milliseconds, one of each per round. */
interface Round {
  /** Nobody has seen the picture. */
  readonly cold: number;
  /** Its embedding is stored; the text before it is new, so nothing of the KV cache serves. */
  readonly warm: number;
  /** The conversation's beginning, the picture included, is in the KV cache. */
  readonly prefix: number;
  readonly peerCold: number;
  /** The peer with a picture that it has just seen. */
  readonly peerWarm: number;
  /** A long text before a new picture. */
  readonly overlapOn: number;
  /** The same, had the text's prefill begun only when the embedding was stored. */
  readonly overlapOff: number;
}

/** Time to the first token, one request at a time, by what is known of the picture already. */
export async function ttft(harness: Harness): Promise<Findings> {
  const fleet = await harness.startFleet();
  const peer = await harness.startPeer();
  await warmUp(harness, [fleet.client, peer]);
  const samples: Round[] = [];
  const rounds = harness.options.full ? 15 : 5;
  for (let round = 0; round < rounds; round++)
    samples.push(await measureRound(harness, fleet, peer, round));
  const of = (name: keyof Round): number[] => samples.map((sample) => sample[name]);
  const ratio = (above: keyof Round, below: keyof Round): number | null =>
    median(samples.map((sample) => sample[above] / sample[below]));
  const rows = (Object.keys(samples[0] ?? {}) as (keyof Round)[]).map((name) => {
    const { p50, p90, max } = summarize(of(name));
    return [TITLES[name], p50, p90, max];
  });
  return {
    tables: [table(['time to first token, ms', 'p50', 'p90', 'max'], rows)],
    ratios: {
      warm: ratio('warm', 'cold'),
      prefix: ratio('prefix', 'cold'),
      overlap: ratio('overlapOn', 'overlapOff'),
      peerCold: ratio('cold', 'peerCold'),
      peerWarm: ratio('warm', 'peerWarm'),
    },
    samples,
    notes: harness.notes,
  };
}

const TITLES: Readonly<Record<keyof Round, string>> = {
  cold: 'fleet, new picture',
  warm: 'fleet, embedding stored',
  prefix: 'fleet, prefix in the KV cache',
  peerCold: 'peer, new picture',
  peerWarm: 'peer, same picture again',
  overlapOn: 'fleet, long text then new picture',
  overlapOff: 'the same, one after the other',
};

async function warmUp(harness: Harness, targets: readonly Target[]): Promise<void> {
  const length = { maxTokens: 4, ignoreEos: true };
  const questions = [...uniqueImages(await harness.newPictures(1), length), ...textOnly(2, 0, 4)];
  for (const target of targets) await runLoad(target, questions, 1);
}

async function measureRound(
  harness: Harness,
  fleet: BenchFleet,
  peer: Target,
  round: number,
): Promise<Round> {
  const [first, second] = await harness.newPictures(2);
  if (first === undefined || second === undefined) throw new RangeError('Needs two pictures');
  const { client } = fleet;
  const cold = await firstToken(client, about(first, `Album ${round}.`, 'What is in the image?'));
  const prefix = await firstToken(client, about(first, `Album ${round}.`, 'What color is it?'));
  const warm = await firstToken(client, about(first, `Page ${round}.`, 'What is in the image?'));
  const peerCold = await firstToken(peer, about(first, `Album ${round}.`, 'What is in the image?'));
  const peerWarm = await firstToken(peer, about(first, `Page ${round}.`, 'What is in the image?'));
  const overlapOn = await firstToken(client, about(second, longText(2 * round), 'What is it?'));
  const afterwards = await firstToken(
    client,
    about(second, longText(2 * round + 1), 'What is it?'),
  );
  const overlapOff = afterwards + (await embeddingTime(harness, fleet));
  return { cold, warm, prefix, peerCold, peerWarm, overlapOn, overlapOff };
}

async function firstToken(target: Target, question: Question): Promise<number> {
  const [ms] = timeToFirstToken(await target.ask(question));
  if (ms === undefined) throw new Error('The answer has no token');
  return ms;
}

/** Milliseconds from a job's acceptance until its picture's embedding is stored, with little else to do. */
async function embeddingTime(harness: Harness, fleet: BenchFleet): Promise<number> {
  const [picture] = await harness.newPictures(1);
  if (picture === undefined) throw new RangeError('Needs a picture');
  const { id } = await fleet.client.askJob(about(picture, '', 'What?'));
  const stored = await fleet.client.storedMs(id);
  if (stored === null) throw new Error(`Job ${id} does not tell when its image was stored`);
  return stored;
}

function about(image: Picture, before: string, question: string): Question {
  const parts: Part[] = [{ image }, { text: question }];
  return {
    parts: before === '' ? parts : [{ text: before }, ...parts],
    maxTokens: 2,
    ignoreEos: true,
  };
}

/** The number comes first: no two of these texts share a beginning. */
const longText = (number: number): string =>
  Array.from(
    { length: LONG_TEXT_SENTENCES },
    (_, i) => `${number + i}. There is a large red circle on the left of a small blue square. `,
  ).join('');
