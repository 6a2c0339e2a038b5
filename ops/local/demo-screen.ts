import type { FinishedJob, JobEvent } from './question.ts';

/** What the demo shows of a job while it runs: a line per stage, then the answer as it grows. */
export class DemoScreen {
  readonly #write: (text: string) => void;
  #answering = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  show(event: JobEvent): void {
    if (event.type === 'stage') this.#stage(event);
    else if (event.type === 'tokens') this.#tokens(event.text);
  }

  /** The last line, from the job's record. */
  end(job: FinishedJob): void {
    if (this.#answering) this.#write('\n');
    if (job.status !== 'completed') {
      this.#write(`\nThe job ended as ${job.status}: ${job.error?.code} ${job.error?.message}\n`);
      return;
    }
    const {
      prompt_tokens: prompt,
      image_tokens: image,
      completion_tokens: answer,
      images,
    } = job.usage ?? {};
    this.#write(
      `\n  ${prompt} prompt tokens, of which ${image} of the picture (${images?.encoded} encoded, ${images?.reused} reused); ${answer} tokens of answer\n`,
    );
  }

  #stage({
    stage,
    ms,
    item,
  }: {
    readonly stage: string;
    readonly ms: number;
    readonly item?: number;
  }): void {
    if (this.#answering) this.#write('\n');
    this.#answering = false;
    const which = item === undefined ? '' : ` (picture ${item + 1})`;
    this.#write(
      `  ${String(Math.round(ms)).padStart(6)} ms  ${stage.replaceAll('_', ' ')}${which}\n`,
    );
  }

  #tokens(text: string): void {
    // Models begin an answer with the space that stands between words.
    this.#write(this.#answering ? text : `\n  Answer: ${text.trimStart()}`);
    this.#answering = true;
  }
}
