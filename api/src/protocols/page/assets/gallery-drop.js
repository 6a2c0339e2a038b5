/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { dataUri } from './data-uri.js';
import { byId } from './element.js';

/** Calls back with the data URI of each picture that is chosen, dropped or pasted. */
export function onPicture(take) {
  const taken = async (files) => {
    const file = [...files].find(({ type }) => type.startsWith('image/'));
    if (file) take(await dataUri(file));
  };
  byId('files').addEventListener('change', (event) => {
    void taken(event.target.files);
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
    void taken(event.dataTransfer.files);
  });
  document.addEventListener('paste', (event) => void taken(event.clipboardData.files));
}
