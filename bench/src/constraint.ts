import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
// oxlint-disable-next-line no-restricted-imports
import type { Engine } from '@epd/prefill-decode/engine';
import type { Constraint } from '@epd/constraint';
import { openEngine, write, type Written } from './constraint/engine-run.ts';
import { gpt2Vocabulary } from './constraint/gpt2-vocabulary.ts';
import { maskSpeed } from './constraint/mask-speed.ts';
import { schemaCases, type SchemaCase } from './constraint/schema-case.ts';
import type { Harness } from './harness.ts';
import { median, percentile, summarize } from './percentiles.ts';
import { print, type Findings } from './report/json.ts';
import { table } from './table.ts';
// oxlint-disable-next-line no-restricted-imports -- a measurement is no service
import { faultOf } from '@epd/prefill-decode/answer-fault';

const ANSWERS = { quick: 60, full: 300 };
const ANSWER_TOKENS = 200;
const STREAMS = 4;
const NEIGHBOURS = 8;
const STREAM_TOKENS = 300;
const ROUNDS = { quick: 3, full: 7 };

/** What holding answers to schemas costs: masks over GPT-2's vocabulary, answers, and those beside them. */
export async function constraint(harness: Harness): Promise<Findings> {
  const cases = await schemaCases(harness.options.schemas);
  const masks = maskSpeed(cases, gpt2Vocabulary());
  print(maskTables(cases.length, masks).join('\n\n'));
  const cacheFolder = await mkdtemp(join(tmpdir(), 'epd-bench-decoders-'));
  const engine = await openEngine(harness.model.dir, cacheFolder, availableParallelism());
  try {
    const size = harness.options.full ? 'full' : 'quick';
    const answers = await answered(engine, cases, ANSWERS[size]);
    const gaps = await gapsBeside(engine, cases[0], ROUNDS[size]);
    return findings(cases.length, masks, answers, gaps);
  } finally {
    await engine.close();
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

const held = ({ schema }: SchemaCase): Constraint => ({ type: 'json', schema, ordered: false });

interface Answers {
  whole: number;
  cut: number;
  invalid: number;
}

/** Answers at temperature 1 to each schema in turn, checked by another library. */
async function answered(
  engine: Engine,
  cases: readonly SchemaCase[],
  count: number,
): Promise<Answers> {
  const found: Answers = { whole: 0, cut: 0, invalid: 0 };
  const one = async (index: number): Promise<void> => {
    const wanted = held(cases[index % cases.length] as SchemaCase);
    const prepared = await engine.prepare(wanted).then(
      () => true,
      () => false,
    );
    if (!prepared) return;
    const sampling = { temperature: 1, maxTokens: ANSWER_TOKENS, constraint: wanted };
    const { text, finishReason } = await write(engine, index, sampling);
    if (finishReason !== 'stop') found.cut++;
    else if (faultOf(wanted, text) === null) found.whole++;
    else found.invalid++;
  };
  for (let from = 0; from < count; from += NEIGHBOURS)
    await Promise.all(Array.from({ length: NEIGHBOURS }, (_, at) => one(from + at)));
  return found;
}

interface Gaps {
  readonly free: number[];
  readonly constrained: number[];
}

/** The 99th percentile of the time between tokens of plain streams, beside as many others of each kind. */
async function gapsBeside(
  engine: Engine,
  like: SchemaCase | undefined,
  rounds: number,
): Promise<Gaps> {
  const gaps: Gaps = { free: [], constrained: [] };
  if (!like) return gaps;
  await engine.prepare(held(like));
  for (let round = 0; round < rounds; round++)
    for (const kind of ['free', 'constrained'] as const) {
      const beside = kind === 'free' ? {} : { constraint: held(like) };
      const written = await besides(engine, (round + 1) * 1000, beside);
      const all = written.flatMap(({ times }) =>
        times.slice(1).map((time, at) => time - (times[at] ?? time)),
      );
      gaps[kind].push(percentile(all, 0.99) ?? 0);
    }
  return gaps;
}

/** Others follow each other for as long as the streams last. */
async function besides(
  engine: Engine,
  from: number,
  beside: { constraint?: Constraint },
): Promise<Written[]> {
  let streaming = true;
  let next = from + STREAMS;
  const other = async (): Promise<void> => {
    const ignoreEos = beside.constraint === undefined;
    // oxlint-disable-next-line no-unmodified-loop-condition -- set when the streams have ended
    while (streaming)
      await write(engine, next++, { temperature: 1, maxTokens: 100, ignoreEos, ...beside });
  };
  const others = Array.from({ length: NEIGHBOURS }, other);
  const free = { temperature: 0, maxTokens: STREAM_TOKENS, ignoreEos: true };
  const streams = Array.from({ length: STREAMS }, (_, at) => write(engine, from + at, free));
  const written = await Promise.all(streams);
  streaming = false;
  await Promise.all(others);
  return written;
}

function maskTables(schemas: number, masks: ReturnType<typeof maskSpeed>): string[] {
  const first = summarize(masks.firstMaskMs);
  const mask = summarize(masks.maskMs);
  const refused = Object.values(masks.refused).reduce((sum, count) => sum + count, 0);
  return [
    table(
      ['schemas', 'pass', 'refused', 'let through', 'missed'],
      [[schemas, masks.passed, refused, masks.letThrough, masks.missed]],
    ),
    table(
      ['ms', 'p50', 'p90', 'p99', 'max', 'mean'],
      [
        ['first mask', first.p50, first.p90, first.p99, first.max, first.mean],
        ['mask', mask.p50, mask.p90, mask.p99, mask.max, mask.mean],
      ],
    ),
  ];
}

function findings(
  schemas: number,
  masks: ReturnType<typeof maskSpeed>,
  answers: Answers,
  gaps: Gaps,
): Findings {
  const beside = median(gaps.constrained);
  const alone = median(gaps.free);
  return {
    tables: [
      ...maskTables(schemas, masks),
      table(
        ['answers', 'valid', 'invalid', 'cut by length'],
        [
          [
            answers.whole + answers.invalid + answers.cut,
            answers.whole,
            answers.invalid,
            answers.cut,
          ],
        ],
      ),
      table(['ms between tokens, p99', 'beside free', 'beside constrained'], [['', alone, beside]]),
    ],
    ratios: { neighbours: alone && beside ? beside / alone : null },
    samples: { refused: masks.refused, gaps, answers },
    notes: [
      'Masks are over the first 49,152 tokens of GPT-2; other processes on its core count in.',
    ],
  };
}
