/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { dataUri } from './data-uri.js';
import { byId } from './element.js';

const TAKEN = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif']);

/**
 * Pictures that are chosen, pasted, or dropped anywhere on the page. `take` gets `{name, url}` of each, `refuse` a
 * sentence about files that are none: a browser would leave the page for them.
 */
export function onPictures(take, refuse) {
  const add = async (files) => {
    const others = files.filter(({ type }) => !TAKEN.has(type)).map(({ name }) => name);
    refuse(others.length === 0 ? '' : `${others.join(', ')}: expected PNG, JPEG, WebP or GIF`);
    for (const file of files) {
      if (TAKEN.has(file.type)) take({ name: file.name, url: await dataUri(file) });
    }
  };
  byId('files').addEventListener('change', (event) => {
    void add([...event.target.files]);
    event.target.value = '';
  });
  document.addEventListener('paste', ({ clipboardData }) => {
    if (clipboardData.files.length > 0) void add([...clipboardData.files]);
  });
  onDrops(({ dataTransfer }) => void add([...dataTransfer.files]));
}

/** Only files: a text that is dragged into the question is none of ours. */
function onDrops(drop) {
  const zone = byId('drop');
  const over = (event) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    zone.classList.add('over');
  };
  document.addEventListener('dragenter', over);
  document.addEventListener('dragover', over);
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) zone.classList.remove('over');
  });
  document.addEventListener('drop', (event) => {
    zone.classList.remove('over');
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    drop(event);
  });
}
