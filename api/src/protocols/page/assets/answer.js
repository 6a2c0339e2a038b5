/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { call, follow } from './api.js';
import { byId, element } from './element.js';
import { Timeline } from './timeline.js';
import { duration } from './words.js';

const REDRAW_MS = 100;

/** Shows one job as it goes: where its time goes, and the answer as it is written. */
export class Answer {
  #timeline = new Timeline();
  #shown = null;

  /** Until the job has ended, or another one is shown. Resolves to the job as it ended; null: another is shown. */
  async show(job, { question, urls }) {
    this.#shown?.abort();
    const shown = new AbortController();
    this.#shown = shown;
    this.#begin(job, question, urls);
    const events = [];
    const clock = new Clock(job);
    const draw = () => this.#timeline.draw(events, clock.nowMs());
    const timer = setInterval(draw, REDRAW_MS);
    try {
      for await (const event of follow(job, shown.signal)) {
        events.push(event);
        clock.hear(event);
        this.#take(event);
      }
      const ended = await call(job.links.self);
      if (shown.signal.aborted) return null;
      this.#timeline.draw(events, ended.timings.total_ms ?? clock.nowMs());
      this.#end(ended);
      return ended;
    } catch (error) {
      if (shown.signal.aborted) return null;
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Before the fleet has a job of it: a picture of some megabytes takes its time to get there. */
  sending({ question, urls }) {
    this.#shown?.abort();
    this.#blank(question, 'Sending', urls.length, urls);
    byId('result').scrollIntoView({ block: 'nearest' });
  }

  /** There is nothing to show: the question was refused, or whoever asked has gone. */
  hide() {
    this.#shown?.abort();
    byId('result').hidden = true;
  }

  #begin(job, question, urls) {
    this.#blank(question, job.status_detail ?? 'Accepted', job.timings.images.length, urls);
    this.#timeline.sources(job);
  }

  #blank(question, status, images, urls) {
    byId('result').hidden = false;
    byId('asked').textContent = question;
    byId('answer').textContent = '';
    byId('answer').classList.add('writing');
    byId('figures').replaceChildren();
    byId('status').textContent = status;
    byId('status').className = 'state in_progress';
    this.#timeline.begin(images, urls);
  }

  #take(event) {
    if (event.type === 'tokens' && event.choice === 0) this.#write(event.text);
    if (event.type === 'stage' && event.stage === 'resumed')
      byId('status').textContent = 'Going on with another worker';
    else if (event.type === 'stage') byId('status').textContent = 'In progress';
  }

  #end(job) {
    byId('answer').classList.remove('writing');
    byId('answer').textContent = (job.output?.text ?? '').trimStart();
    byId('status').textContent = job.error ? `${job.status}: ${job.error.message}` : job.status;
    byId('status').className = `state ${job.status}`;
    this.#timeline.sources(job);
    byId('figures').replaceChildren(
      ...figures(job).map(([name, value]) =>
        element('div', {}, element('dt', {}, name), element('dd', {}, value)),
      ),
    );
  }

  /** Models like to begin with a space. */
  #write(text) {
    const answer = byId('answer');
    answer.append(answer.textContent === '' ? text.trimStart() : text);
  }
}

/** Milliseconds since the job was accepted, by the fleet's clock as events tell it. */
class Clock {
  #ms;
  #atMs = performance.now();

  constructor(job) {
    this.#ms = job.finished_at === null ? 0 : (job.timings.total_ms ?? 0);
  }

  hear({ ms }) {
    if (ms === undefined || ms < this.nowMs()) return;
    this.#ms = ms;
    this.#atMs = performance.now();
  }

  nowMs() {
    return this.#ms + performance.now() - this.#atMs;
  }
}

function figures({ usage, timings }) {
  const known = [
    ['First token', timings.ttft_ms],
    ['Total', timings.total_ms],
  ].filter(([, ms]) => ms !== undefined);
  const times = known.map(([name, ms]) => [name, duration(ms)]);
  if (!usage) return times;
  return [
    ...times,
    ['Prompt', `${usage.prompt_tokens} tokens, ${usage.cached_tokens} of them cached`],
    ['Answer', `${usage.completion_tokens} tokens`],
  ];
}
