/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { Answer } from './answer.js';
import { call, follow, rememberKey } from './api.js';
import { byId, element } from './element.js';
import { Pictures } from './pictures.js';
import { Recent } from './recent.js';

const LOOK_MS = 5_000;
const METADATA_CHARACTERS = 200;

const pictures = new Pictures();
const answer = new Answer();
const recent = new Recent();
let current = null;
/** What the shown problem came from. */
let troubled = null;

byId('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  void withProblems(ask);
});
byId('cancel').addEventListener('click', () => void withProblems(cancel));
byId('question').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) byId('ask').requestSubmit();
});
byId('key').addEventListener('change', (event) => {
  rememberKey(event.target.value);
  void withProblems(look);
});
setInterval(() => void withProblems(look), LOOK_MS);
void withProblems(look);

async function ask() {
  const { urls } = pictures;
  busy(true);
  try {
    current = await call('/v1/jobs', { method: 'POST', body: question(urls) });
    answer.begin(current, urls);
    void recent.refresh();
    for await (const event of follow(current, AbortSignal.timeout(3_600_000))) answer.show(event);
    answer.end(await call(current.links.self));
  } finally {
    busy(false);
    await recent.refresh();
  }
}

const cancel = () => call(current.links.cancel, { method: 'POST' });

function question(urls) {
  const text = byId('question').value;
  const images = urls.map((url) => ({ type: 'image_url', image_url: { url } }));
  const model = byId('model').value;
  return {
    ...(model ? { model } : {}),
    messages: [{ role: 'user', content: [...images, { type: 'text', text }] }],
    max_tokens: Number(byId('max-tokens').value),
    temperature: Number(byId('temperature').value),
    metadata: { question: text.slice(0, METADATA_CHARACTERS) },
  };
}

/** What changes by itself: the models, their workers, the recent jobs. */
async function look() {
  const { data } = await call('/v1/models');
  byId('access').hidden = true;
  showModels(data);
  const [first] = data;
  byId('workers').textContent = first
    ? `${first.id}: ${count(first.workers.encoder, 'encoder')}, ${count(first.workers.prefill_decode, 'decoder')}`
    : 'No model is registered yet: start the workers';
  await recent.refresh();
}

const count = (number, what) => `${number} ${what}${number === 1 ? '' : 's'}`;

function showModels(models) {
  const select = byId('model');
  const ids = models.map(({ id }) => id);
  if (ids.join() === [...select.options].map(({ value }) => value).join()) return;
  select.replaceChildren(...ids.map((id) => element('option', { value: id }, id)));
}

function busy(on) {
  byId('submit').disabled = on;
  byId('cancel').hidden = !on;
}

/** Says in words what went wrong, until the same thing goes well; asks for a key where one is wanted. */
async function withProblems(work) {
  try {
    await work();
    if (troubled === work) say('', null);
  } catch (error) {
    if (error.status === 401) byId('access').hidden = false;
    // Who has not typed a key yet is asked for one, and told nothing.
    const asked = error.status === 401 && byId('key').value === '' && work === look;
    say(asked ? '' : error.message, work);
  }
}

function say(problem, work) {
  byId('problem').textContent = problem;
  troubled = work;
}
