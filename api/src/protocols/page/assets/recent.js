/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { call } from './api.js';
import { byId, element } from './element.js';
import { thumbnailsOf } from './seen.js';
import { ago } from './words.js';

const SHOWN = 20;
const RUNNING = new Set(['queued', 'in_progress']);

/** Programs name no question, and a job does not give its own back: the end of its id tells it from others. */
export const questionOf = (job) => job.metadata.question || `API request ${job.id.slice(-8)}`;

/** The last jobs of whoever's key this is: each opens again, and can be cancelled while it runs. */
export class Recent {
  #actions;
  /** Rows by the job's id: they are changed, not made anew, so that the keyboard's focus stays. */
  #rows = new Map();

  /** `open`, `cancel`: each with a job. */
  constructor(actions) {
    this.#actions = actions;
  }

  /** Returns the jobs that are shown. */
  async refresh() {
    const rows = this.#rows;
    const { data } = await call(`/v1/jobs?limit=${SHOWN}`);
    if (rows !== this.#rows) return []; // cleared meanwhile: these are another's
    byId('no-recent').hidden = data.length > 0;
    byId('no-recent').textContent = 'None yet.';
    const list = byId('recent');
    for (const [id, row] of this.#rows) {
      if (data.some((job) => job.id === id)) continue;
      row.item.remove();
      this.#rows.delete(id);
    }
    for (const [index, job] of data.entries()) {
      const row = this.#row(job);
      update(row, job);
      if (list.children[index] !== row.item)
        list.insertBefore(row.item, list.children[index] ?? null);
    }
    return data;
  }

  /** Another key's jobs are another's. */
  clear() {
    this.#rows = new Map();
    byId('recent').replaceChildren();
  }

  #row(job) {
    const known = this.#rows.get(job.id);
    if (known) return known;
    const picture = element('span', { class: 'no-picture', 'aria-hidden': 'true' });
    picture.textContent = job.timings.images.length > 0 ? 'IMG' : 'Aa';
    const state = element('span', { class: 'state' });
    const time = element('span', { class: 'time' });
    const answer = element('span', { class: 'what' });
    const what = element('strong', {}, questionOf(job));
    const facts = element('span', { class: 'facts' }, state, time);
    const text = element('span', { class: 'text' }, what, answer, facts);
    const open = { type: 'button', class: 'open', onclick: () => this.#actions.open(job) };
    const cancel = {
      type: 'button',
      class: 'quiet',
      'aria-label': `Cancel ${questionOf(job)}`,
      onclick: () => this.#actions.cancel(job),
    };
    const row = {
      item: element(
        'li',
        {},
        element('button', open, picture, text),
        element('button', cancel, 'Cancel'),
      ),
      picture,
      state,
      time,
      answer,
    };
    this.#rows.set(job.id, row);
    return row;
  }
}

function update({ item, picture, state, time, answer }, job) {
  // A job of this page may be listed before its thumbnail is there.
  const isWanted = picture.parentNode !== null && job.timings.images.length > 0;
  const [thumbnail] = isWanted ? thumbnailsOf(job.id) : [];
  if (thumbnail) picture.replaceWith(element('img', { src: thumbnail, alt: '' }));
  state.textContent = job.status.replace('_', ' ');
  state.className = `state ${job.status}`;
  time.textContent = ago(job.created_at);
  answer.textContent = (job.output?.text ?? job.status_detail ?? '').trimStart();
  const cancel = item.lastElementChild;
  if (cancel.hidden !== RUNNING.has(job.status)) return;
  if (document.activeElement === cancel) item.firstElementChild.focus();
  cancel.hidden = !RUNNING.has(job.status);
}
