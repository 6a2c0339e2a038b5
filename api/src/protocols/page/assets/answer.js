/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { byId, element } from './element.js';

const WORDS = {
  queued: 'Waiting for its turn',
  waiting_for_encoder: 'Waiting for an encoder',
  encoding: 'Encoding',
  stored: 'Encoded',
  loaded: 'Loaded',
  prefill: 'Reading the question',
  waiting_for_embeddings: 'Awaited by the decoder',
  first_token: 'Answering',
  resumed: 'Going on with another worker',
};

const SOURCES = {
  encoded: ['Encoded now', 'encoded'],
  joined: ['Encoded with another job', 'cached'],
  stored: ['From the cache', 'cached'],
  kv_cache: ['Known to the decoder', 'cached'],
};

const time = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Shows one job as it goes: where its pictures are, and the answer as it is written. */
export class Answer {
  #rows = [];

  begin(job, urls) {
    byId('result').hidden = false;
    byId('answer').textContent = '';
    byId('answer').classList.add('writing');
    byId('figures').replaceChildren();
    byId('status').textContent = job.status_detail ?? 'Accepted';
    const distinct = [...new Set(urls)];
    this.#rows = job.timings.images.map((image, index) => row(distinct[index], index));
    byId('images').replaceChildren(...this.#rows.map(({ item }) => item));
    this.#showSources(job);
  }

  show(event) {
    if (event.type === 'tokens' && event.choice === 0) this.#write(event.text);
    if (event.type !== 'stage') return;
    const where = this.#rows[event.item];
    const words = WORDS[event.stage] ?? event.stage;
    if (where)
      where.stages.append(element('span', { class: 'stage' }, `${words} · ${time(event.ms)}`));
    else byId('status').textContent = `${words} · ${time(event.ms)}`;
  }

  end(job) {
    byId('answer').classList.remove('writing');
    byId('answer').textContent = (job.output?.text ?? '').trimStart();
    byId('status').textContent = job.error ? `${job.status}: ${job.error.message}` : job.status;
    this.#showSources(job);
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

  #showSources({ timings }) {
    for (const [index, { source }] of timings.images.entries()) {
      const [words, kind] = SOURCES[source] ?? [];
      const badge = this.#rows[index]?.badge;
      if (!words || !badge) continue;
      badge.textContent = words;
      badge.className = `badge ${kind}`;
      badge.hidden = false;
    }
  }
}

function row(url, index) {
  const stages = element('span', { class: 'stages' });
  const badge = element('span', { class: 'badge', hidden: '' });
  const picture = element('img', { src: url ?? '', alt: `Picture ${index + 1}` });
  return { item: element('li', {}, picture, badge, stages), stages, badge };
}

function figures({ usage, timings }) {
  const known = [
    ['First token', timings.ttft_ms],
    ['In all', timings.total_ms],
  ].filter(([, ms]) => ms !== undefined);
  const times = known.map(([name, ms]) => [name, time(ms)]);
  if (!usage) return times;
  return [
    ...times,
    ['Prompt', `${usage.prompt_tokens} tokens, ${usage.cached_tokens} of them cached`],
    ['Answer', `${usage.completion_tokens} tokens`],
  ];
}
