import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { eventually } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../helpers/chromium.ts';
import { echoWorker } from '../../helpers/echo-worker.ts';
import { png } from '../../helpers/pictures.ts';
import { listen } from '../../helpers/sse-client.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { end, say, takeUp } from '../../helpers/worker.ts';

const SCREENSHOTS = projectPath('.cache/screenshots');
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
  const claim = await takeUp(api.jobs, job.id);
  await say(api.jobs, claim, 'A grey ', 0);
  await page.locator('#answer', { hasText: 'A grey' }).waitFor();
  await shot(page, 'running');
  t.regex((await page.locator('#images li').first().textContent()) ?? '', /Encoding.*Encoded/);
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
  const focused = () =>
    page.evaluate('document.activeElement.id || document.activeElement.className');
  const visited: unknown[] = [];
  for (let step = 0; step < 5; step++) {
    await page.keyboard.press('Tab');
    visited.push(await focused());
  }
  t.true(visited.includes('files'), String(visited));
  t.is(visited[3], 'question', String(visited));
  await page.locator('#question').focus();
  await page.keyboard.type('typed by hand');
  await page.keyboard.press('Control+Enter');
  await page.locator('#status', { hasText: 'completed' }).waitFor();
  t.is(await page.locator('#answer').textContent(), 'typed by hand');
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
  const claim = await takeUp(api.jobs, job.id);
  await say(api.jobs, claim, ' Two grey rectangles.', 0);
  await page.locator('#answer', { hasText: 'Two grey' }).waitFor();
  t.is(await page.locator('#answer').textContent(), 'Two grey rectangles.');
  t.is(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
  await shot(page, 'phone-answer');
});

test('a dropped picture is taken', async (t) => {
  const page = await openPage(t, await testApi(t));
  await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(${JSON.stringify([...png()])})], 'dropped.png', { type: 'image/png' }));
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  })()`);
  await page.getByRole('button', { name: 'Remove dropped.png' }).waitFor();
  t.pass();
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

test('where keys are wanted the page asks for one and goes on', async (t) => {
  const api = await testApi(t, { apiKeys: ['alice:alice-key-0123456789'] });
  const page = await openPage(t, api);
  await page.locator('#key').waitFor();
  t.is(await page.locator('#problem').textContent(), '');
  await page.fill('#key', 'alice-key-0123456789');
  await page.locator('#question').focus();
  await page.locator('#workers', { hasText: 'tiny-vlm' }).waitFor();
  t.false(await page.locator('#access').isVisible());
});
