/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { byId, element } from './element.js';
import { spansOf } from './timeline-spans.js';
import { duration } from './words.js';

const KINDS = {
  waiting: 'is queued',
  encoding: 'is encoded',
  ready: 'encoded, waits for the decoder',
  loaded: 'is loaded',
  reading: 'prefills',
  held: 'waits for a picture',
  answering: 'decodes',
};

const SOURCES = {
  encoded: ['Encoded now', 'encoded'],
  joined: ['Encoded with another job', 'cached'],
  stored: ['From the cache', 'cached'],
  kv_cache: ["In the decoder's cache", 'cached'],
};

/** Where a job's time went: a row for each picture, and one for the decoder, on one axis. */
export class Timeline {
  #pictures = [];
  #decoder = null;

  /** `urls`: what there is to show of the pictures. */
  begin(images, urls) {
    this.#pictures = Array.from({ length: images }, (_, index) =>
      row(`Picture ${index + 1}`, urls[index]),
    );
    this.#decoder = row('Decoder');
    byId('images').replaceChildren(...[...this.#pictures, this.#decoder].map(({ item }) => item));
    byId('overlap').textContent = '';
    byId('axis-end').textContent = '';
  }

  draw(events, untilMs) {
    const spans = spansOf(events, this.#pictures.length, untilMs);
    for (const [index, picture] of this.#pictures.entries())
      show(picture, spans.pictures[index], untilMs);
    show(this.#decoder, spans.decoder, untilMs);
    byId('axis-end').textContent = duration(untilMs);
    byId('overlap').textContent =
      spans.overlapMs < 1
        ? ''
        : `Encoding and decoding overlapped for ${duration(spans.overlapMs)}.`;
  }

  /** Where each picture's embedding came from, once that is known. */
  sources({ timings }) {
    for (const [index, { source }] of timings.images.entries()) {
      const [words, kind] = SOURCES[source] ?? [];
      const badge = this.#pictures[index]?.badge;
      if (!words || !badge) continue;
      badge.textContent = words;
      badge.className = `badge ${kind}`;
      badge.hidden = false;
    }
  }
}

function row(name, url) {
  const badge = element('span', { class: 'badge', hidden: '' });
  const words = element('span', { class: 'words' });
  const track = element('div', { class: 'track', role: 'img' });
  const picture = url
    ? element('img', { src: url, alt: '' })
    : element(
        'span',
        { class: 'no-picture', 'aria-hidden': 'true' },
        name === 'Decoder' ? 'PD' : 'IMG',
      );
  const head = element('div', { class: 'head' }, element('strong', {}, name), words, badge);
  const item = element('li', {}, picture, element('div', { class: 'lane' }, head, track));
  return { item, badge, words, track, name };
}

function show({ track, words, name }, spans, untilMs) {
  track.replaceChildren(...spans.map((span) => bar(span, untilMs)));
  const told = spans.map(
    ({ kind, from, to }) =>
      `${KINDS[kind]} ${kind === 'loaded' ? `at ${duration(from)}` : `for ${duration(to - from)}`}`,
  );
  track.setAttribute('aria-label', `${name}: ${told.join(', ')}`);
  words.textContent = summary(spans);
}

function bar({ kind, from, to }, untilMs) {
  const made = element('span', {
    class: `bar ${kind}`,
    title: `${KINDS[kind]}, ${duration(to - from)}`,
  });
  const percent = (ms) => `${(100 * ms) / Math.max(untilMs, 1)}%`;
  made.style.left = percent(from);
  if (kind !== 'loaded') made.style.width = percent(to - from);
  return made;
}

/** The stage that it has come to, in a few words. */
function summary(spans) {
  const last = spans.at(-1);
  const encoding = spans.find(({ kind }) => kind === 'encoding');
  switch (last?.kind) {
    case 'waiting':
      return 'Queued';
    case 'encoding':
      return 'Encoding';
    case 'ready':
    case 'loaded': {
      const loaded = last.kind === 'loaded' ? 'Loaded' : 'Encoded';
      return encoding ? `${loaded} · encoded in ${duration(encoding.to - encoding.from)}` : loaded;
    }
    case 'reading':
      return 'Prefill';
    case 'held':
      return 'Waiting for a picture';
    case 'answering':
      return `First token after ${duration(last.from)}`;
    default:
      return '';
  }
}
