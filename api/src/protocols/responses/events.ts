import type { Job, JobStore, SequencedEvent } from '@epd/jobs';
import { OutputWriter, type ResponseEvent } from './output-writer.ts';
import { responseNotes } from './notes.ts';
import { responseView, responseWith } from './view.ts';

/**
 * A job's events as those of `/v1/responses`, from the first. Which events come, and in what order,
 * follows from the job's stream alone, so counting them gives the same `sequence_number` every time
 * and at every replica: `starting_after` depends on that. Null is passed on: no news.
 */
export async function* responseEvents(
  jobs: JobStore,
  job: Job,
  events: AsyncIterable<SequencedEvent | null>,
): AsyncGenerator<ResponseEvent | null> {
  const writer = new ResponseWriter(job);
  yield* writer.created();
  for await (const event of events) {
    if (event === null) yield null;
    else if (event.type === 'tokens') yield* writer.tokens(event);
    else if (event.type === 'stage') yield* writer.stage(event.stage);
    else yield* writer.end((await jobs.get(job.id)) ?? job);
  }
}

class ResponseWriter {
  readonly #job: Job;
  readonly #output: OutputWriter;
  #running = false;

  constructor(job: Job) {
    this.#job = job;
    this.#output = new OutputWriter(job);
  }

  *created(): Generator<ResponseEvent> {
    const response = responseView({ ...this.#job, status: 'queued', ending: null });
    yield { type: 'response.created', response };
    if (responseNotes(this.#job).background) yield { type: 'response.queued', response };
  }

  *stage(stage: string): Generator<ResponseEvent> {
    if (this.#running || stage !== 'prefill') return;
    this.#running = true;
    const response = responseView({ ...this.#job, status: 'in_progress', ending: null });
    yield { type: 'response.in_progress', response };
  }

  *tokens(event: Extract<SequencedEvent, { type: 'tokens' }>): Generator<ResponseEvent> {
    yield* this.stage('prefill');
    yield* this.#output.write(event);
  }

  *end(job: Job): Generator<ResponseEvent> {
    yield* this.#output.end(job);
    const response = responseWith(job, this.#output.items);
    yield { type: `response.${response.status}`, response };
  }
}
