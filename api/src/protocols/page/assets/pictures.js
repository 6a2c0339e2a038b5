/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { byId, element } from './element.js';

/** The pictures of the next question; they stay for the one after it. */
export class Pictures {
  #chosen = [];

  /** Data URIs in the order in which they were chosen. */
  get urls() {
    return this.#chosen.map(({ url }) => url);
  }

  add(picture) {
    const card = element(
      'li',
      {},
      element('img', { src: picture.url, alt: '' }),
      element('span', { class: 'name', title: picture.name }, picture.name),
      element(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': `Remove ${picture.name}`,
          onclick: () => this.#remove(picture, card),
        },
        'Remove',
      ),
    );
    this.#chosen.push(picture);
    byId('pictures').append(card);
  }

  #remove(picture, card) {
    this.#chosen = this.#chosen.filter((one) => one !== picture);
    const next = card.nextElementSibling ?? card.previousElementSibling;
    (next?.querySelector('button') ?? byId('files')).focus();
    card.remove();
  }
}
