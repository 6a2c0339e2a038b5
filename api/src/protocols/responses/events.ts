import type { Job, JobStore, SequencedEvent, TokenLogprob } from '@epd/jobs';
import { choiceLogprobs } from '../chat/openai-parts.ts';
import { messageHead, outputMessage, outputText, responseNotes, responseView } from './view.ts';

interface ResponseEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

const PLACE = { output_index: 0, content_index: 0 } as const;

/**
 * A job's events as those of `/v1/responses`, from the first. Which events come, and in what order,
 * follows from the job's stream alone, so counting them gives the same `sequence_number` every time
 * and at every replica: that is what `starting_after` rests on. Null is passed on: no news.
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
  #text = '';
  readonly #logprobs: TokenLogprob[] = [];
  #running = false;
  #writing = false;

  constructor(job: Job) {
    this.#job = job;
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
    yield* this.#open();
    this.#text += event.text;
    this.#logprobs.push(...(event.logprobs ?? []));
    const logprobs = choiceLogprobs(event.logprobs ?? []).content;
    yield {
      type: 'response.output_text.delta',
      ...this.#item,
      ...PLACE,
      delta: event.text,
      logprobs,
    };
  }

  *end(job: Job): Generator<ResponseEvent> {
    if (job.status === 'completed') yield* this.#open();
    if (this.#writing) yield* this.#close(job);
    const response = responseView(job, [
      { text: this.#text, tokenIds: [], finishReason: null, logprobs: this.#logprobs },
    ]);
    yield { type: `response.${response.status}`, response };
  }

  *#open(): Generator<ResponseEvent> {
    if (this.#writing) return;
    this.#writing = true;
    const item = { ...messageHead(this.#job), status: 'in_progress', content: [] };
    yield { type: 'response.output_item.added', output_index: 0, item };
    yield {
      type: 'response.content_part.added',
      ...this.#item,
      ...PLACE,
      part: outputText('', []),
    };
  }

  *#close(job: Job): Generator<ResponseEvent> {
    const text = job.ending?.choices[0]?.text ?? this.#text;
    const part = outputText(text, this.#logprobs);
    const { logprobs } = part;
    yield { type: 'response.output_text.done', ...this.#item, ...PLACE, text, logprobs };
    yield { type: 'response.content_part.done', ...this.#item, ...PLACE, part };
    const item = outputMessage(job, text, this.#logprobs);
    yield { type: 'response.output_item.done', output_index: 0, item };
  }

  get #item(): { item_id: string } {
    return { item_id: messageHead(this.#job).id };
  }
}
