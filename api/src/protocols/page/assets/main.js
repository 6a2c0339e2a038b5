/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { Answer } from './answer.js';
import { call } from './api.js';
import { byId, element } from './element.js';
import { drawCurves, Fleet } from './fleet.js';
import { KeyPanel } from './key.js';
import { onPictures } from './picture-input.js';
import { Pictures } from './pictures.js';
import { Problems } from './problems.js';
import { questionOf, Recent } from './recent.js';
import { showSamples } from './samples.js';
import { rememberThumbnails, thumbnailsOf } from './seen.js';

const LOOK_MS = 2_000;
const METADATA_CHARACTERS = 200;
/** The model that comes with the fleet. */
const TOY = 'tiny-vlm';

const pictures = new Pictures();
const answer = new Answer();
const fleet = new Fleet();
const key = new KeyPanel(() => void problems.during(startOver));
const problems = new Problems((tried) => key.ask(tried));
const recent = new Recent({
  open: (job) => void problems.during(() => open(job)),
  cancel: (job) => void problems.during(() => cancel(job)),
});
/** The job that is shown. */
let current = null;

onPictures(
  (picture) => pictures.add(picture),
  (refusal) => problems.say(refusal),
);
showSamples((picture) => pictures.add(picture));
drawCurves();
byId('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  void problems.during(ask);
});
byId('cancel').addEventListener('click', () => void problems.during(() => cancel(current)));
byId('question').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) byId('ask').requestSubmit();
});
addEventListener('hashchange', () => void problems.during(openFromAddress));
setInterval(() => {
  if (!document.hidden && !key.isAsking) void problems.inBackground(look);
}, LOOK_MS);
void problems.inBackground(look);
void problems.during(openFromAddress);

/** With another key: nothing of the one before stays, and a job that the address names is opened. */
async function startOver() {
  if (current !== null) history.replaceState(null, '', location.pathname);
  current = null;
  answer.hide();
  recent.clear();
  await look();
  await openFromAddress();
}

async function ask() {
  const { urls } = pictures;
  const text = byId('question').value;
  const submit = byId('submit');
  // Not disabled: that would take the keyboard's focus away.
  if (submit.ariaDisabled === 'true') return;
  submit.ariaDisabled = 'true';
  current = null;
  byId('cancel').hidden = true;
  let job = null;
  try {
    const pictured = [...new Set(urls)];
    answer.sending({ question: text, urls: pictured });
    job = await call('/v1/jobs', { method: 'POST', body: question(text, urls) });
    await rememberThumbnails(job.id, pictured);
  } catch (error) {
    answer.hide();
    throw error;
  } finally {
    submit.ariaDisabled = null;
  }
  void recent.refresh();
  await show(job);
}

/** Also after a reload, and from a link: the job's id is in the address. */
async function openFromAddress() {
  const id = location.hash.slice(1);
  if (!/^job_[0-9a-f]+$/.test(id) || id === current?.id) return;
  await open(await call(`/v1/jobs/${id}`));
}

async function open(job) {
  byId('result').hidden = false;
  byId('result').scrollIntoView({ block: 'nearest' });
  await show(job);
}

async function show(job) {
  current = job;
  history.replaceState(null, '', `#${job.id}`);
  byId('cancel').hidden = job.finished_at !== null;
  await answer.show(job, { question: questionOf(job), urls: thumbnailsOf(job.id) });
  if (current === job) byId('cancel').hidden = true;
  fleet.reuse(await recent.refresh());
}

async function cancel(job) {
  await call(job.links.cancel, { method: 'POST' });
  await recent.refresh();
}

function question(text, urls) {
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

/** What changes by itself: the fleet, its models, the recent jobs. */
async function look() {
  const { models, pages } = await fleet.refresh(byId('model').value);
  showModels(models);
  byId('to-gallery').hidden = pages.gallery === undefined;
  byId('to-queues').hidden = pages.queues === undefined;
  fleet.reuse(await recent.refresh());
}

function showModels(models) {
  const select = byId('model');
  const ids = models.map(({ id }) => id);
  byId('toy').hidden = (select.value || ids[0]) !== TOY;
  if (ids.join() === [...select.options].map(({ value }) => value).join()) return;
  select.replaceChildren(...ids.map((id) => element('option', { value: id }, id)));
  byId('toy').hidden = select.value !== TOY;
}
