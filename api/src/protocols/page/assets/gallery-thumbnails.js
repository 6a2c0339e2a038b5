/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { bytes } from './api.js';
import { element } from './element.js';

/** An image element whose picture is fetched with the key, which an address alone does not bring. */
export function thumbnail(id, alt) {
  const image = element('img', { alt, width: '256', height: '256' });
  void load(image, id);
  return image;
}

async function load(image, id) {
  try {
    const url = URL.createObjectURL(await bytes(`/v1/images/${id}/thumbnail`));
    image.addEventListener('load', () => URL.revokeObjectURL(url), { once: true });
    image.src = url;
  } catch {
    image.alt += ' (the picture is kept no more)';
  }
}
