import type { Job, RedisJobStore, SequencedEvent } from '@epd/jobs';
import type { ClientRecord } from './clients/client.ts';
import type { SeenEvent } from './clients/sse-reader.ts';
import { Losses } from './world/losses.ts';
import type { Reference } from './reference.ts';

export interface Finding {
  /** What promise was broken: lost, wrong, ending, stream, reader, refused. */
  readonly kind: string;
  readonly job: number | null;
  readonly id: string | null;
  readonly what: string;
}

/** How many of the jobs the faults have reached. */
export interface Takeovers {
  /** Jobs that a worker took over from another. */
  jobs: number;
  /** Of those, jobs that had tokens already, which the next worker went on from. */
  midAnswer: number;
}

const TERMINAL = new Set(['completed', 'failed', 'cancelled', 'expired']);
/** How a job of a kind may end; what completes must be right besides. */
const ENDINGS: Readonly<Record<string, readonly string[]>> = {
  cancelled: ['cancelled', 'completed'],
  broken: ['failed'],
  deadline: ['completed', 'expired'],
};
const BROKEN_CODES = new Set(['image_broken', 'image_unsupported']);

/** Compares every job with its reference answer, and its stream with its record. */
export class Checker {
  readonly #jobs: RedisJobStore;
  readonly #reference: Reference;
  readonly #findings: Finding[] = [];
  readonly #losses: Losses;
  readonly takeovers: Takeovers = { jobs: 0, midAnswer: 0 };
  /** Jobs that are missing because a fault deleted them from Redis. */
  lostWithRedis = 0;

  constructor(jobs: RedisJobStore, reference: Reference, losses = new Losses()) {
    this.#jobs = jobs;
    this.#reference = reference;
    this.#losses = losses;
  }

  async check(records: readonly ClientRecord[]): Promise<readonly Finding[]> {
    for (const record of records) await this.#checkOne(record);
    return this.#findings;
  }

  async #checkOne(record: ClientRecord): Promise<void> {
    const { id, problem } = record;
    for (const answer of record.refusals) this.#found(record, 'refused', answer);
    if (this.#losses.concern(id, record.sinceMs)) return this.#countLost(id);
    if (problem !== null) this.#found(record, 'client', problem);
    if (id === null) return;
    const job = await this.#jobs.get(id);
    if (job === null) return this.#found(record, 'lost', 'the record is gone');
    if (!TERMINAL.has(job.status)) {
      return this.#found(record, 'lost', `still ${job.status}, stage ${job.stage}`);
    }
    const events = await this.#jobs.events(id, 0);
    this.#countTakeovers(events);
    this.#checkEnding(record, job);
    this.#checkStream(record, job, events);
    this.#checkReader(record, events);
  }

  /** It may have been written again, in part, by the workers that held it: it is not checked. */
  #countLost(id: string | null): void {
    if (id !== null) this.lostWithRedis += 1;
  }

  #countTakeovers(events: readonly SequencedEvent[]): void {
    const last = events.findLastIndex(isResumption);
    if (last < 0) return;
    this.takeovers.jobs += 1;
    if (events.slice(0, last).some(({ type }) => type === 'tokens')) this.takeovers.midAnswer += 1;
  }

  #checkEnding(record: ClientRecord, job: Job): void {
    const { kind } = record.job;
    const allowed = ENDINGS[kind] ?? ['completed'];
    if (!allowed.includes(job.status)) {
      const error = JSON.stringify(job.ending?.error);
      this.#found(record, 'ending', `a ${kind} job ended ${job.status}: ${error}`);
    }
    if (kind === 'broken' && !BROKEN_CODES.has(job.ending?.error?.code ?? '')) {
      this.#found(record, 'ending', `broken image failed with ${job.ending?.error?.code}`);
    }
    if (job.status === 'completed') this.#checkAnswer(record, job);
  }

  #checkAnswer(record: ClientRecord, job: Job): void {
    const expected = this.#reference.of(record.job);
    const choice = job.ending?.choices[0];
    if (!same(choice?.tokenIds ?? [], expected.tokens)) {
      const got = JSON.stringify(choice?.tokenIds);
      this.#found(record, 'wrong', `got ${got}, expected ${JSON.stringify(expected.tokens)}`);
    } else if (choice?.text.trim() !== expected.text.trim()) {
      this.#found(record, 'wrong', `text "${choice?.text}", expected "${expected.text}"`);
    }
  }

  /** Numbered from 1 without gaps, one end and that last, and the tokens are the answer's or begin it. */
  #checkStream(record: ClientRecord, job: Job, events: readonly SequencedEvent[]): void {
    const gap = events.findIndex(({ seq }, index) => seq !== index + 1);
    if (gap >= 0) this.#found(record, 'stream', `event ${gap + 1} has seq ${events[gap]?.seq}`);
    const ends = events.filter(({ type }) => type === 'end').length;
    if (ends !== 1 || events.at(-1)?.type !== 'end') {
      this.#found(record, 'stream', `${ends} end events, the last event is ${events.at(-1)?.type}`);
    }
    const ids = events.flatMap((event) => (event.type === 'tokens' ? event.ids : []));
    const text = events.map((event) => (event.type === 'tokens' ? event.text : '')).join('');
    const choice = job.ending?.choices[0];
    if (job.status === 'completed') {
      if (!same(ids, choice?.tokenIds ?? []) || text !== choice?.text) {
        this.#found(
          record,
          'stream',
          `tokens ${JSON.stringify(ids)} ("${text}") are not the answer's ${JSON.stringify(choice?.tokenIds)} ("${choice?.text}")`,
        );
      }
    } else if (record.job.kind !== 'broken') {
      const { tokens } = this.#reference.of(record.job);
      if (!same(ids, tokens.slice(0, ids.length)))
        this.#found(record, 'stream', `tokens ${JSON.stringify(ids)} do not begin the answer`);
    }
  }

  /** What a reader saw over all its connections is the stream: nothing twice, nothing left out. */
  #checkReader(record: ClientRecord, events: readonly SequencedEvent[]): void {
    if (record.stream === null) return;
    const seen = record.stream.events;
    const wrong = seen.findIndex((event, index) => !sameEvent(event, events[index]));
    if (wrong >= 0 || seen.length !== events.length) {
      const what = `saw ${seen.length} of ${events.length} events over ${record.stream.connections} connections; the first that differs is ${wrong + 1}`;
      this.#found(record, 'reader', what);
    }
  }

  #found({ job, id }: ClientRecord, kind: string, what: string): void {
    this.#findings.push({ kind, job: job.number, id, what: `${job.kind}: ${what}` });
  }
}

const isResumption = (event: SequencedEvent): boolean =>
  event.type === 'stage' && event.stage === 'resumed';

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

function sameEvent(seen: SeenEvent, stored: SequencedEvent | undefined): boolean {
  if (seen.seq !== stored?.seq || seen.type !== stored.type) return false;
  if (stored.type !== 'tokens') return true;
  return same(seen['ids'] as number[], stored.ids) && seen['text'] === stored.text;
}
