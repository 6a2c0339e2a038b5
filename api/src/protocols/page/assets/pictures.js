/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { byId, element } from './element.js';
import { dataUri } from './data-uri.js';

/** The pictures that were chosen, dropped or pasted; they stay for the next question. */
export class Pictures {
  #chosen = [];

  constructor() {
    byId('files').addEventListener('change', (event) => {
      void this.#add([...event.target.files]);
      event.target.value = '';
    });
    const drop = byId('drop');
    const over = (event) => {
      event.preventDefault();
      drop.classList.toggle('over', event.type === 'dragover');
    };
    drop.addEventListener('dragover', over);
    drop.addEventListener('dragleave', over);
    drop.addEventListener('drop', (event) => {
      over(event);
      void this.#add([...event.dataTransfer.files]);
    });
    document.addEventListener('paste', (event) => void this.#add([...event.clipboardData.files]));
  }

  /** Data URIs in the order in which they were chosen. */
  get urls() {
    return this.#chosen.map(({ url }) => url);
  }

  async #add(files) {
    for (const file of files) {
      if (file.type.startsWith('image/'))
        this.#chosen.push({ name: file.name, url: await dataUri(file) });
    }
    this.#show();
  }

  #remove(picture) {
    this.#chosen = this.#chosen.filter((one) => one !== picture);
    this.#show();
    byId('files').focus();
  }

  #show() {
    byId('pictures').replaceChildren(
      ...this.#chosen.map((picture) =>
        element(
          'li',
          {},
          element('img', { src: picture.url, alt: picture.name }),
          element(
            'button',
            {
              type: 'button',
              'aria-label': `Remove ${picture.name}`,
              onclick: () => this.#remove(picture),
            },
            '×',
          ),
        ),
      ),
    );
  }
}
