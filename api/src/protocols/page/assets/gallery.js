/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { call } from './api.js';
import { byId, element } from './element.js';
import { Grid } from './gallery-grid.js';
import { thumbnail } from './gallery-thumbnails.js';
import { KeyPanel } from './key.js';
import { onPictures } from './picture-input.js';
import { Problems } from './problems.js';
import { count } from './words.js';

const PAGE = 24;

/** What the images that are shown are like and unlike: ids, or one picture that was dropped. */
let wanted = [];
let unwanted = [];
let last = null;

const key = new KeyPanel(() => void problems.during(begin));
const problems = new Problems((tried) => key.ask(tried));
const grid = new Grid({
  more: (image) => choose([...wanted, image.id], unwanted),
  less: (image) => choose(wanted, [...unwanted, image.id]),
  duplicates: (image) => problems.during(() => showDuplicates(image)),
  remove: (image) => problems.during(() => remove(image)),
});

onPictures(
  ({ url }) => choose([{ image: url }], []),
  (refusal) => problems.say(refusal),
);
byId('clear').addEventListener('click', () => choose([], []));
byId('more').addEventListener('click', () => void problems.during(() => showAll(last)));
byId('model').addEventListener('change', () => choose([], []));
byId('search').addEventListener('submit', (event) => event.preventDefault());
void problems.during(begin);

async function begin() {
  const { data } = await call('/v1/models');
  byId('model').replaceChildren(...data.map(({ id }) => element('option', { value: id }, id)));
  await show();
}

function choose(more, less) {
  wanted = more;
  unwanted = less;
  void problems.during(show);
}

async function show() {
  showExamples();
  if (wanted.length + unwanted.length === 0) return showAll(null);
  const strategy = wanted.length === 0 ? 'best_score' : 'average_vector';
  const body = { ...model(), positive: wanted, negative: unwanted, strategy, limit: PAGE };
  const { data } = await call('/v1/images/recommend', { method: 'POST', body });
  showFound(data, `${count(data.length, 'image')}, the most alike first`);
}

async function showAll(after) {
  const query = new URLSearchParams({ ...model(), limit: PAGE, ...(after ? { after } : {}) });
  const page = await call(`/v1/images?${query}`);
  if (after) grid.add(page.data);
  else grid.show(page.data);
  last = page.last_id;
  byId('more').hidden = !page.has_more;
  byId('none').hidden = grid.size > 0;
  byId('state').textContent = page.has_more
    ? `The newest ${grid.size} images`
    : count(grid.size, 'image');
}

async function showDuplicates({ id }) {
  const { data } = await call(`/v1/images/${id}/duplicates`);
  wanted = [id];
  unwanted = [];
  showExamples();
  showFound(data, data.length === 0 ? 'No near-duplicates' : count(data.length, 'near-duplicate'));
}

async function remove({ id }) {
  if (!confirm('Delete this image? It is found no more.')) return;
  await call(`/v1/images/${id}`, { method: 'DELETE' });
  wanted = wanted.filter((one) => one !== id);
  unwanted = unwanted.filter((one) => one !== id);
  await show();
}

function showFound(hits, state) {
  grid.show(hits.map((hit) => ({ ...hit, id: hit.image_id })));
  byId('more').hidden = true;
  byId('none').hidden = true;
  byId('state').textContent = state;
}

function showExamples() {
  byId('examples').hidden = wanted.length + unwanted.length === 0;
  byId('wanted').replaceChildren(...wanted.map((one) => example(one, 'Like')));
  byId('unwanted').replaceChildren(...unwanted.map((one) => example(one, 'Unlike')));
}

function example(one, word) {
  const image = one.image
    ? element('img', { src: one.image, alt: `${word} the chosen picture` })
    : thumbnail(one, `${word} ${one}`);
  return element('li', {}, image);
}

const model = () => (byId('model').value ? { model: byId('model').value } : {});
