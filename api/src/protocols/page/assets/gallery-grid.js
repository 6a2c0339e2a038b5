/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { byId, element } from './element.js';
import { thumbnail } from './gallery-thumbnails.js';

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
    const button = (text, act) =>
      element('button', { type: 'button', 'aria-label': `${text}: ${name}`, onclick: act }, text);
    return element(
      'li',
      {},
      thumbnail(image.id, name),
      element('p', {}, factsOf(image)),
      element(
        'div',
        { class: 'choices' },
        button('More like this', () => more(image)),
        button('Less like this', () => less(image)),
        button('Near-duplicates', () => duplicates(image)),
        button('Delete', () => remove(image)),
      ),
    );
  }
}

const nameOf = ({ id, metadata }) => Object.values(metadata)[0] ?? id.slice(0, 12);

function factsOf({ width, height, created_at: createdAt, metadata, score }) {
  const time = new Date(createdAt * 1000).toLocaleString();
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}: ${value}`);
  const likeness = score === undefined ? [] : [`score ${score.toFixed(3)}`];
  return [...likeness, `${width} × ${height}`, time, ...pairs].join(' · ');
}
