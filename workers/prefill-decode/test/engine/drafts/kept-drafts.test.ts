import test from 'ava';
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  nat,
  option,
  record,
  tuple,
} from 'fast-check';
import type { DecoderFacts } from '../../../src/decoder/decoder-graph.ts';
import { MemoryPlan } from '../../../src/engine/kv/memory-plan.ts';
import { PrefixCache } from '../../../src/engine/kv/prefix-cache.ts';
import { Slots } from '../../../src/engine/kv/slots.ts';
import { Drafting } from '../../../src/engine/schedule/drafting.ts';
import { PrefillPace } from '../../../src/engine/schedule/prefill-pace.ts';
import { Scheduler, type Schedule } from '../../../src/engine/schedule/scheduler.ts';
import { Sequence } from '../../../src/engine/sequences/sequence.ts';
import type { StepResult } from '../../../src/runner/messages.ts';
import { ModelRunner } from '../../../src/runner/model-runner.ts';
import { CopyingDecoder, following } from '../../helpers/copying-decoder.ts';
import { sampling } from '../../helpers/engine.ts';

const CONTEXT = 200;
const KV = [{ kind: 'full', kvHeads: 1, headDim: 1, type: 'float32' }] as const;
const BYTES_PER_TOKEN = 8;
const FACTS: DecoderFacts = {
  kind: 'two_part',
  kv: [...KV],
  hiddenSize: 1,
  embedsType: 'float32',
  positionAxes: 1,
  deepstack: null,
  options: [],
};

interface Asked {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  /** Tokens of an answer that ends before, unknown to the scheduler, as with a stop string. */
  readonly stopsAfter: number;
  /** Steps after which it is asked. */
  readonly after: number;
  /** Steps after which it is dropped; null: never. */
  readonly dropped: number | null;
}

interface Setting {
  readonly draftTokens: number;
  readonly maxBatch: number;
  readonly kvTokens: number;
  readonly overflows: boolean;
}

/** Schedules and runs steps as the engine does, over a decoder that answers from what its slots hold. */
class Loop {
  readonly scheduler: Scheduler;
  readonly drafting: Drafting;
  readonly #slots: Slots;
  readonly #runner: ModelRunner;
  readonly #sequences = new Map<number, { sequence: Sequence; asked: Asked }>();
  readonly #opened = new Set<number>();
  #inFlight: { schedule: Schedule; made: StepResult } | null = null;

  constructor({ draftTokens, maxBatch, kvTokens, overflows }: Setting) {
    const decoder = new CopyingDecoder({ overflows });
    const plan = new MemoryPlan({
      kv: KV,
      abilities: decoder.abilities,
      kvCacheBytes: kvTokens * BYTES_PER_TOKEN,
      maxBatch,
      contextLength: CONTEXT,
    });
    this.#slots = new Slots(plan, new PrefixCache());
    const gate = {
      limit: ({ length }: Sequence) => length,
      reach: ({ length }: Sequence) => length,
      releaseAll: () => {},
    };
    this.drafting = new Drafting(draftTokens);
    const pace = new PrefillPace({ share: 1, waitMs: 0 });
    const limits = { tokenBudgetPerStep: 64, pace, drafting: this.drafting };
    this.scheduler = new Scheduler(plan, this.#slots, gate, limits);
    this.#runner = new ModelRunner(FACTS, decoder, {
      write: async (tokens, into, offset) => into.set(tokens, offset),
    });
  }

  add(asked: Asked, key: number): Sequence {
    const sequence = new Sequence({
      key,
      requestId: `${key}`,
      choice: 0,
      priority: 0,
      scope: '',
      sampling: sampling({ maxTokens: asked.maxTokens }),
      prompt: asked.prompt,
      images: [],
      gridPositions: null,
      lastUses: new Map(),
      resume: [],
      endIds: [],
      leader: null,
      draftEnds: { endIds: [], imageTokenId: -1 },
    });
    this.#sequences.set(key, { sequence, asked });
    this.scheduler.add(sequence);
    return sequence;
  }

  /** One round of the engine's loop. */
  async advance(): Promise<void> {
    const first = this.#inFlight;
    if (first && this.drafting.awaits(first.schedule.work, this.scheduler.running)) {
      this.#settle(first);
      this.#inFlight = null;
    }
    const schedule = this.scheduler.schedule();
    const before = this.#inFlight;
    this.#inFlight = schedule && { schedule, made: await this.#made(schedule) };
    if (before) this.#settle(before);
  }

  async #made({ runs, work }: Schedule): Promise<StepResult> {
    const fresh = work.filter(({ sequence }) => !this.#opened.has(sequence.key));
    for (const { sequence } of fresh) this.#opened.add(sequence.key);
    const open = fresh.map(({ sequence: { key, tokens, promptLength } }) => ({
      sequence: key,
      choice: 0,
      sampling: sampling(),
      endIds: [],
      prompt: tokens.slice(0, promptLength),
      generated: tokens.slice(promptLength),
    }));
    return this.#runner.step({ operations: this.#slots.takeOperations(), open, close: [], runs });
  }

  #settle({ schedule, made }: { schedule: Schedule; made: StepResult }): void {
    if (made.failures.length > 0) throw new Error(JSON.stringify(made.failures));
    this.scheduler.settle(schedule, made.runsMs);
    for (const { sequence: key, id } of made.samples) this.#take(key, id);
    this.drafting.settle(schedule.work);
    for (const sequence of this.scheduler.running) assertCached(sequence);
  }

  #take(key: number, id: number): void {
    const { sequence, asked } = this.#sequences.get(key)!;
    if (sequence.finished) return;
    sequence.push(id);
    assertCached(sequence);
    const { tokens, promptLength } = sequence;
    if (tokens.length - promptLength >= lengthOf(asked)) this.scheduler.remove(sequence);
  }
}

function assertCached({ tokens, computed, cached, length }: Sequence): void {
  if (cached > tokens.length || computed > length) throw new RangeError('Too much is computed');
}

/** Of the answer to the end. */
const lengthOf = ({ prompt, maxTokens, stopsAfter }: Asked): number =>
  Math.min(maxTokens, stopsAfter, CONTEXT - prompt.length);

async function answers(asked: readonly Asked[], setting: Setting) {
  const loop = new Loop(setting);
  const sequences: Sequence[] = [];
  const isOver = () => asked.every((_, key) => sequences[key]?.finished);
  for (let step = 0; !isOver(); step++) {
    if (step > 20_000) throw new Error('It does not come to an end');
    for (const [key, each] of asked.entries())
      if (each.after === step) sequences[key] = loop.add(each, key);
    for (const [key, { dropped }] of asked.entries())
      if (dropped === step && sequences[key]) loop.scheduler.remove(sequences[key]);
    await loop.advance();
  }
  return { tokens: sequences.map(({ tokens }) => tokens), drafts: loop.drafting.counts };
}

/** The tokens, and those that follow. */
function continued(tokens: readonly number[], count: number): number[] {
  const all = [...tokens];
  while (all.length < tokens.length + count) all.push(following(all));
  return all;
}

/** Prompts begin alike, some with another's answer, so that they find tokens in the prefix cache. */
const prompt = tuple(constantFrom(1, 17, 33), nat(40), array(nat(3), { maxLength: 12 })).map(
  ([shared, answered, own]) =>
    continued(
      Array.from({ length: shared }, () => 1),
      answered,
    ).concat(own),
);

const asked = record({
  prompt,
  maxTokens: integer({ min: 1, max: 120 }),
  stopsAfter: integer({ min: 1, max: 240 }),
  after: nat(60),
  dropped: option(integer({ min: 61, max: 120 }), { freq: 5 }),
});

const setting = record({
  draftTokens: integer({ min: 1, max: 9 }),
  maxBatch: integer({ min: 1, max: 4 }),
  kvTokens: integer({ min: 210, max: 700 }),
  overflows: boolean(),
});

test('whatever is drafted, preempted and dropped, no answer is computed from a draft that was not kept', async (t) => {
  let [computed, kept] = [0, 0];
  await assert(
    asyncProperty(array(asked, { minLength: 1, maxLength: 5 }), setting, async (all, how) => {
      const found = await answers(all, how);
      for (const [index, each] of all.entries()) {
        const expected = continued(each.prompt, lengthOf(each));
        const tokens = found.tokens[index]!;
        t.deepEqual(tokens, expected.slice(0, tokens.length));
        if (each.dropped === null) t.is(tokens.length, expected.length);
      }
      computed += found.drafts.computed;
      kept += found.drafts.kept;
    }),
    { numRuns: 200, includeErrorInReport: true },
  );
  t.log({ computed, kept });
  t.true(kept > 0 && kept < computed, 'drafts are kept, and others are not');
});
