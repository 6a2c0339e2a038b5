/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { bytes } from './api.js';
import { element } from './element.js';

/** An image element whose picture is fetched with the key, which an address alone does not bring. */
export function thumbnail(id, alt) {
  const image = element('img', { alt, width: '256', height: '256' });
  bytes(`/v1/images/${id}/thumbnail`).then(
    (blob) => {
      const url = URL.createObjectURL(blob);
      image.addEventListener('load', () => URL.revokeObjectURL(url), { once: true });
      image.src = url;
    },
    () => {
      image.alt = `${alt} (the picture is kept no more)`;
    },
  );
  return image;
}
