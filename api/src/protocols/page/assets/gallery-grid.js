/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { byId, element } from './element.js';
import { thumbnail } from './gallery-thumbnails.js';
import { ago } from './words.js';

/** The images that are shown, each with what can be done with it. */
export class Grid {
  #actions;
  #size = 0;

  constructor(actions) {
    this.#actions = actions;
  }

  get size() {
    return this.#size;
  }

  show(images) {
    byId('grid').replaceChildren(...images.map((image) => this.#card(image)));
    this.#size = images.length;
  }

  add(images) {
    byId('grid').append(...images.map((image) => this.#card(image)));
    this.#size += images.length;
  }

  #card(image) {
    const { more, less, duplicates, remove } = this.#actions;
    const name = nameOf(image);
    const button = (text, act, kind = '') =>
      element(
        'button',
        { type: 'button', class: kind, 'aria-label': `${text}: ${name}`, onclick: act },
        text,
      );
    return element(
      'li',
      {},
      thumbnail(image.id, name),
      ...textsOf(image).map((text) => element('p', { class: 'asked' }, text)),
      element('p', { title: new Date(image.created_at * 1000).toLocaleString() }, factsOf(image)),
      element(
        'div',
        { class: 'choices' },
        button('More like this', () => more(image)),
        button('Less like this', () => less(image)),
        button('Duplicates', () => duplicates(image)),
        button('Delete', () => remove(image), 'delete'),
      ),
    );
  }
}

const nameOf = ({ id, metadata }) => Object.values(metadata)[0] ?? id.slice(0, 12);

/** What came with it: the page's question as it is, anything else with its key. */
const textsOf = ({ metadata }) =>
  Object.entries(metadata).map(([key, value]) => (key === 'question' ? value : `${key}: ${value}`));

function factsOf({ width, height, created_at: createdAt, score }) {
  const likeness = score === undefined ? [] : [`score ${score.toFixed(3)}`];
  return [...likeness, `${width} × ${height}`, ago(createdAt)].join(' · ');
}
