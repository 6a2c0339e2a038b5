/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { call } from './api.js';
import { byId, element } from './element.js';

const SHOWN = 10;
const RUNNING = new Set(['queued', 'in_progress']);

/** The last jobs of whoever's key this is, with a button for those that can still be cancelled. */
export class Recent {
  async refresh() {
    const { data } = await call(`/v1/jobs?limit=${SHOWN}`);
    byId('no-recent').hidden = data.length > 0;
    byId('recent').replaceChildren(...data.map((job) => this.#row(job)));
  }

  #row(job) {
    const what = job.output?.text || job.metadata.question || job.id;
    const cells = [
      element('span', { class: `state ${job.status}` }, job.status.replace('_', ' ')),
      element('span', { class: 'what', title: job.status_detail ?? what }, what),
    ];
    if (RUNNING.has(job.status)) {
      const label = {
        type: 'button',
        'aria-label': `Cancel ${what}`,
        onclick: () => void this.#cancel(job),
      };
      cells.push(element('button', label, 'Cancel'));
    }
    return element('li', {}, ...cells);
  }

  async #cancel(job) {
    await call(job.links.cancel, { method: 'POST' });
    await this.refresh();
  }
}
