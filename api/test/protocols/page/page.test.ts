import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RedisModelRegistry } from '@epd/fleet';
import { projectPath } from '@epd/service';
import { eventually } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../helpers/chromium.ts';
import { echoWorker } from '../../helpers/echo-worker.ts';
import { png } from '../../helpers/pictures.ts';
import { post, question } from '../../helpers/requests.ts';
import { listen } from '../../helpers/sse-client.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { end, say, claimJob } from '../../helpers/worker.ts';

const SCREENSHOTS = projectPath('.cache/screenshots');
/** For a machine that runs other tests beside. */
const PATIENCE_MS = 90_000;
const PHONE = { width: 390, height: 844 };

let browser: Browser;
test.before(async () => {
  browser = await launchChromium();
  await mkdir(SCREENSHOTS, { recursive: true });
});
test.after.always(() => browser?.close());

/** The page of an API of its own. What it logs as an error, or asks of another host, fails the test. */
async function openPage(
  t: ExecutionContext,
  api: TestApi,
  viewport = { width: 1000, height: 900 },
) {
  const base = await listen(api.app);
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('console', (message) => message.type() === 'error' && t.log(message.text()));
  page.on('pageerror', (error) => t.fail(error.message));
  page.on('request', (request) => {
    if (!/^(data|blob):|^http:\/\/127\.0\.0\.1/.test(request.url())) t.fail(request.url());
  });
  await page.goto(base);
  t.teardown(() => page.close());
  return page;
}

const choose = (page: Page, ...seeds: number[]) =>
  page.setInputFiles(
    '#files',
    seeds.map((seed) => ({
      name: `${seed}.png`,
      mimeType: 'image/png',
      buffer: png(64, 48, seed * 60),
    })),
  );

const shot = (page: Page, name: string) =>
  page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });

const onlyJob = (api: TestApi) =>
  eventually(
    async () => (await api.jobs.list({ tenant: 'local', limit: 1, order: 'desc' })).jobs[0],
  );

test('a picture is asked about, its stages and the answer come as they happen', async (t) => {
  const api = await testApi(t);
  const page = await openPage(t, api);
  await choose(page, 1, 2);
  await page.fill('#question', 'What is in these pictures?');
  await shot(page, 'before');
  await page.click('#submit');
  const job = await onlyJob(api);
  const [first, second] = job.request.images;
  await api.jobs.note(job.id, { stage: 'encoding', mmHash: first?.mmHash ?? '' });
  await api.jobs.note(job.id, { stage: 'stored', mmHash: first?.mmHash ?? '' });
  await api.jobs.note(job.id, { stage: 'encoding', mmHash: second?.mmHash ?? '' });
  await page.locator('#images li').nth(1).getByText('Encoding').waitFor();
  await page.locator('#images li').first().getByText('Encoded').waitFor();
  const claim = await claimJob(api.jobs, job.id);
  await say(api.jobs, claim, 'A grey ', 0);
  await page.locator('#answer', { hasText: 'A grey' }).waitFor();
  await shot(page, 'running');
  const track = page
    .locator('#images li')
    .first()
    .getByRole('img', { name: /^Picture 1: .*is encoded for/ });
  t.is(await track.count(), 1);
  await say(api.jobs, claim, 'rectangle.', 1);
  await end(api.jobs, claim, ['A grey ', 'rectangle.']);
  await page.locator('#status', { hasText: 'completed' }).waitFor();
  t.is(await page.locator('#answer').textContent(), 'A grey rectangle.');
  await page.locator('#recent .completed').waitFor();
  await shot(page, 'answered');
});

test('a question can be asked by the keyboard alone', async (t) => {
  const api = await testApi(t);
  await echoWorker(t, api);
  const page = await openPage(t, api);
  await page.locator('#model option').waitFor({ state: 'attached' });
  const focused = () => page.evaluate('document.activeElement.id');
  const visited: unknown[] = [];
  for (let step = 0; step < 12; step++) {
    await page.keyboard.press('Tab');
    visited.push(await focused());
  }
  for (const id of ['key-open', 'files', 'question']) t.true(visited.includes(id), String(visited));
  await page.locator('#question').focus();
  await page.keyboard.type('typed by hand');
  await page.keyboard.press('Control+Enter');
  await page.locator('#status', { hasText: 'completed' }).waitFor();
  t.is(await page.locator('#answer').textContent(), 'typed by hand');
  await page.locator('#submit').press('Enter');
  await page.locator('#recent .completed').nth(1).waitFor();
  t.is(await focused(), 'submit', 'asking leaves the focus where it was');
});

test('it fits a phone, and pictures can be removed again', async (t) => {
  const api = await testApi(t);
  const page = await openPage(t, api, PHONE);
  await choose(page, 1, 2, 3);
  await page.getByRole('button', { name: 'Remove 2.png' }).click();
  t.is(await page.locator('#pictures li').count(), 2);
  t.is(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
  await shot(page, 'phone');
});

test('an answer about pictures fits a phone', async (t) => {
  const api = await testApi(t);
  const page = await openPage(t, api, PHONE);
  await choose(page, 1, 2);
  await page.fill('#question', 'What is in these pictures?');
  await page.click('#submit');
  const job = await onlyJob(api);
  for (const { mmHash } of job.request.images) {
    for (const stage of ['encoding', 'waiting_for_embeddings', 'stored', 'loaded'] as const)
      await api.jobs.note(job.id, { stage, mmHash });
  }
  await page.locator('#images li').nth(1).getByText('Loaded').waitFor();
  const claim = await claimJob(api.jobs, job.id);
  await say(api.jobs, claim, ' Two grey rectangles.', 0);
  await page.locator('#answer', { hasText: 'Two grey' }).waitFor();
  t.is(await page.locator('#answer').textContent(), 'Two grey rectangles.');
  t.is(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
  await shot(page, 'phone-answer');
});

test('at 320 pixels nothing is cut off', async (t) => {
  const page = await openPage(t, await testApi(t), { width: 320, height: 640 });
  await page.getByRole('button', { name: 'French fries' }).click();
  await page.getByRole('button', { name: 'Remove fries.png' }).waitFor();
  await page.locator('#fleet').waitFor();
  t.is(await page.evaluate('document.documentElement.scrollWidth'), 320);
});

test('a sample picture brings its question, and is removed by the keyboard', async (t) => {
  const page = await openPage(t, await testApi(t));
  await page.getByRole('button', { name: 'Coloured shapes' }).click();
  await page.getByRole('button', { name: 'A bear' }).click();
  await page.getByRole('button', { name: 'Remove bear.png' }).waitFor();
  t.is(await page.inputValue('#question'), 'What is this?');
  await page.locator('#toy').waitFor();
  await page.getByRole('button', { name: 'Remove shapes.png' }).press('Enter');
  const label = "document.activeElement.getAttribute('aria-label')";
  t.is(await page.evaluate(label), 'Remove bear.png');
  await page.keyboard.press('Enter');
  t.is(await page.evaluate('document.activeElement.id'), 'files');
});

test('a picture that is dropped anywhere is taken, and another file is answered', async (t) => {
  const page = await openPage(t, await testApi(t));
  await drop(page, 'body', 'dropped.png', 'image/png');
  await page.getByRole('button', { name: 'Remove dropped.png' }).waitFor();
  t.true(await drop(page, 'h1', 'report.pdf', 'application/pdf'), 'the browser stays on the page');
  await page.locator('#problem', { hasText: 'report.pdf: expected PNG, JPEG' }).waitFor();
});

/** Whether the page has taken the event, which a browser would open the file for. */
const drop = (page: Page, on: string, name: string, type: string): Promise<boolean> =>
  page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(${JSON.stringify([...png()])})], '${name}', { type: '${type}' }));
    const event = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
    document.querySelector('${on}').dispatchEvent(event);
    return event.defaultPrevented;
  })()`);

test('a question is shown before the fleet has it, and not where it is refused', async (t) => {
  const api = await testApi(t);
  const page = await openPage(t, api, PHONE);
  const held = Promise.withResolvers<void>();
  await page.route('**/v1/jobs', async (route) => {
    if (route.request().method() === 'POST') await held.promise;
    await route.continue();
  });
  await choose(page, 1, 2);
  await page.fill('#question', 'Which one?');
  await page.click('#submit');
  await page.locator('#status', { hasText: 'Sending' }).waitFor();
  t.is(await page.locator('#asked').textContent(), 'Which one?');
  t.is(await page.locator('#images img').count(), 2);
  held.resolve();
  await page.locator('#status', { hasText: 'waiting for an encoder' }).waitFor();
  await page.locator('#images li').first().getByText('Queued').waitFor();
  await page.fill('#question', 'x');
  await page.evaluate("document.querySelector('#max-tokens').value = '0'");
  await page.evaluate("document.querySelector('#ask').noValidate = true");
  await page.click('#submit');
  await page.locator('#problem', { hasText: 'max_tokens' }).waitFor();
  t.false(await page.locator('#result').isVisible());
});

test('a fleet that is gone is said to be, until it is back', async (t) => {
  const page = await openPage(t, await testApi(t));
  await page.locator('#no-recent', { hasText: 'None yet.' }).waitFor();
  await page.route('**/v1/**', (route) => route.abort());
  await page.locator('#problem', { hasText: 'The fleet does not answer at 127.0.0.1' }).waitFor();
  await page.unroute('**/v1/**');
  await page.locator('#problem:empty').waitFor({ state: 'attached' });
  t.pass();
});

test('a job that is listed before its thumbnail is there gets it then', async (t) => {
  const page = await openPage(t, await testApi(t));
  const held = Promise.withResolvers<void>();
  await page.route('**/v1/jobs', async (route) => {
    const response = await route.fetch();
    await held.promise;
    await route.fulfill({ response });
  });
  await choose(page, 1);
  await page.fill('#question', 'Which one?');
  await page.click('#submit');
  await page.locator('#recent .no-picture', { hasText: 'IMG' }).waitFor();
  held.resolve();
  await page.locator('#recent img').waitFor();
  t.is(await page.locator('#recent .no-picture').count(), 0);
});

test('a job of a program is shown as one, not by its whole id', async (t) => {
  const api = await testApi(t);
  await post(api.app, '/v1/jobs', question('?', png()));
  const page = await openPage(t, api);
  const { id } = await onlyJob(api);
  await page.locator('#recent strong', { hasText: `API request ${id.slice(-8)}` }).waitFor();
  t.is(await page.locator('#recent .no-picture').textContent(), 'IMG');
});

test('a job that runs is followed on after a reload, and a recent one opens again', async (t) => {
  const api = await testApi(t);
  const page = await openPage(t, api);
  await page.getByRole('button', { name: 'A bear' }).click();
  await page.getByRole('button', { name: 'Remove bear.png' }).waitFor();
  await page.fill('#question', 'Which animal?');
  await page.click('#submit');
  const job = await onlyJob(api);
  const claim = await claimJob(api.jobs, job.id);
  await say(api.jobs, claim, 'A bear', 0);
  await page.locator('#answer', { hasText: 'A bear' }).waitFor();
  await page.reload();
  await page.locator('#answer', { hasText: 'A bear' }).waitFor();
  t.is(await page.locator('#asked').textContent(), 'Which animal?');
  await say(api.jobs, claim, '.', 1);
  await end(api.jobs, claim, ['A bear', '.']);
  await page.locator('#status.completed').waitFor();
  t.is(await page.locator('#answer').textContent(), 'A bear.');
  await page.goto(new URL('/', page.url()).href);
  const recent = page.getByRole('button', { name: /Which animal\? A bear\. completed/ });
  await recent.locator('img').waitFor();
  await recent.press('Enter');
  await page.locator('#answer', { hasText: 'A bear.' }).waitFor();
  const pictures =
    "[...document.querySelectorAll('#images img')].every((image) => image.naturalWidth > 0)";
  t.true(await page.evaluate(pictures));
});

test("recent jobs are changed where they stand, under the keyboard's focus", async (t) => {
  const api = await testApi(t);
  await post(api.app, '/v1/jobs', { ...question('?'), metadata: { question: 'First' } });
  const page = await openPage(t, api);
  await page
    .getByRole('button', { name: /^\S* ?First/ })
    .first()
    .focus();
  const focused = 'document.activeElement.textContent';
  t.regex(String(await page.evaluate(focused)), /First.*queued/);
  await post(api.app, '/v1/jobs', { ...question('?'), metadata: { question: 'Second' } });
  const job = (await api.jobs.list({ tenant: 'local', limit: 2, order: 'asc' })).jobs[0];
  await end(api.jobs, await claimJob(api.jobs, job?.id ?? ''), ['Done.']);
  await page.locator('#recent .completed').waitFor();
  await page
    .getByRole('button', { name: /Second/ })
    .first()
    .waitFor();
  t.regex(String(await page.evaluate(focused)), /First.*Done\..*completed/);
});

test('a recent job can be cancelled', async (t) => {
  const api = await testApi(t);
  const page = await openPage(t, api);
  await page.fill('#question', 'Never answered');
  await page.click('#submit');
  await page.getByRole('button', { name: 'Cancel Never answered' }).click();
  await page.locator('#recent .cancelled').waitFor();
  await page.locator('#status', { hasText: 'cancelled' }).waitFor();
  t.is((await onlyJob(api)).status, 'cancelled');
});

test('what is wrong is said in words, and markup in answers stays text', async (t) => {
  const api = await testApi(t, { maxImages: 1 });
  await echoWorker(t, api);
  const page = await openPage(t, api);
  await choose(page, 1, 2);
  await page.fill('#question', '<img src=x onerror=alert(1)>');
  await page.click('#submit');
  await page.locator('#problem', { hasText: 'at most 1 pictures' }).waitFor();
  await page.getByRole('button', { name: 'Remove 1.png' }).click();
  await page.click('#submit');
  await page.locator('#status', { hasText: 'completed' }).waitFor();
  t.is(await page.locator('#answer').textContent(), '<img src=x onerror=alert(1)>');
  t.is(await page.locator('#problem').textContent(), '');
});

test('where keys are wanted the page asks for one; it can be changed and forgotten', async (t) => {
  const api = await testApi(t, {
    apiKeys: ['alice:alice-key-0123456789'],
    adminKey: 'the-admin-key-of-tests',
  });
  const page = await openPage(t, api);
  const key = page.getByLabel('Key', { exact: true });
  await key.fill('wrong-key-0123456789');
  await key.press('Enter');
  await page.getByText('This fleet does not know that key.').waitFor();
  t.is(await page.locator('#key-open').textContent(), 'API key', 'a refused key is not ticked');
  await key.fill('alice-key-0123456789');
  await key.press('Enter');
  await page.locator('#fleet').waitFor();
  t.is(await page.locator('#problem').textContent(), '');
  t.is(await page.getByRole('link', { name: 'Queues' }).getAttribute('href'), '/admin/queues');
  t.is(await page.getByRole('link', { name: 'API reference' }).getAttribute('href'), '/docs/');
  await page.fill('#question', 'A question of Alice');
  await page.click('#submit');
  await page.locator('#recent', { hasText: 'A question of Alice' }).waitFor();
  await page.getByRole('button', { name: 'API key ✓' }).click();
  await page.getByRole('button', { name: 'Forget the key' }).click();
  await page.locator('#problem', { hasText: 'This fleet asks for an API key.' }).waitFor();
  t.is(await page.evaluate('sessionStorage.length'), 0);
  t.is(
    await page.locator('#recent li').count(),
    0,
    'the next person sees no questions of the last',
  );
  t.false(await page.locator('#result').isVisible());
});

test('the fleet is shown as it stands, with what waits', async (t) => {
  const api = await testApi(t);
  const worker = await new RedisModelRegistry(api.redis, api.prefix).announce(
    'encoder',
    'w',
    TEST_CARD,
  );
  t.teardown(() => worker.stop());
  await post(api.app, '/v1/jobs', question('?', png()));
  const page = await openPage(t, api);
  const tile = (id: string, text: RegExp) => page.locator(`#${id}`, { hasText: text }).waitFor();
  await tile('encoders', /1\s*encoder ready/);
  await tile('decoders', /0\s*decoders ready/);
  await tile('encode-queue', /1\s*picture waiting/);
  await tile('generate-queue', /1\s*job waiting/);
  t.is(await page.locator('#encoders .dot').count(), 1);
});
