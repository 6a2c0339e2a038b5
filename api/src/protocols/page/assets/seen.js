/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
/** Small copies of the pictures of jobs that were asked here, by the job's id: the API gives none back. */

const STORE = 'epd-seen';
/** Of a few kilobytes each; a browser keeps about five megabytes. */
const JOBS_MAX = 40;
const EDGE = 96;

const all = () => JSON.parse(localStorage.getItem(STORE) ?? '[]');

/** Data URIs, in the order of the job's pictures; none for a job that was asked elsewhere. */
export const thumbnailsOf = (id) => all().find((one) => one.id === id)?.pictures ?? [];

export const forgetThumbnails = () => localStorage.removeItem(STORE);

export async function rememberThumbnails(id, urls) {
  const pictures = await Promise.all(urls.map(small));
  const kept = [{ id, pictures }, ...all().filter((one) => one.id !== id)].slice(0, JOBS_MAX);
  try {
    localStorage.setItem(STORE, JSON.stringify(kept));
  } catch {
    forgetThumbnails(); // there is no room: they are a convenience
  }
}

async function small(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const scale = Math.min(1, EDGE / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/jpeg', 0.8);
}
