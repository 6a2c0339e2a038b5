import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { eventually, freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { launchChromium } from '../../helpers/chromium.ts';

const PHONE = { width: 390, height: 844 };
const SLOW = { withinMs: 90_000 };
const PROGRAMS = ['api', 'workers/encoder', 'workers/index'];

/** Processes of a fleet that keeps an index; it answers no questions. Returns the API's address. */
async function indexingFleet(t: ExecutionContext): Promise<string> {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'],
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: testPrefix(),
    EPD_DATA_DIR: await tempFolder(t),
    EPD_PORT: String(port),
    EPD_INDEX: 'true',
    EPD_LOG_LEVEL: 'warn',
  };
  for (const program of PROGRAMS) {
    const main = projectPath(`${program}/src/main.ts`);
    const child = spawn(process.execPath, [main], { env, stdio: 'ignore' });
    t.teardown(async () => {
      const exit = once(child, 'exit');
      if (child.kill('SIGKILL')) await exit;
    });
  }
  return `http://127.0.0.1:${port}`;
}

async function submit(url: string, name: string): Promise<boolean> {
  const bytes = await readFile(projectPath(`models/tiny-vlm/golden/${name}`));
  const image = `data:image/png;base64,${bytes.toString('base64')}`;
  const content = [
    { type: 'image_url', image_url: { url: image } },
    { type: 'text', text: '?' },
  ];
  const body = { messages: [{ role: 'user', content }], metadata: { name } };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return answer.status === 202;
}

test('the gallery shows what the fleet has seen, and finds like and unlike, by keyboard on a phone', async (t) => {
  t.timeout(240_000);
  const url = await indexingFleet(t);
  const names = ['01-0.png', '02-0.png', '03-0.png'];
  for (const name of names) await eventually(() => submit(url, name), SLOW);
  await eventually(async () => {
    const { data } = (await (await fetch(`${url}/v1/images`)).json()) as { data: object[] };
    return data.length === names.length;
  }, SLOW);
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: PHONE });
  await page.goto(`${url}/gallery`);
  const cards = page.locator('#grid li');
  await cards.nth(2).waitFor();
  const shown =
    "[...document.querySelectorAll('#grid img')].every((image) => image.naturalWidth > 0)";
  await eventually(async () => (await page.evaluate(shown)) === true);
  const width = await page.evaluate('document.documentElement.scrollWidth');
  t.is(width, PHONE.width, 'nothing is wider than the phone');

  await page.getByRole('button', { name: 'More like this: 02-0.png' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('2 images, the most alike first').waitFor();
  t.is(await page.locator('#wanted img').count(), 1);
  await page.getByRole('button', { name: 'Less like this: 03-0.png' }).press('Enter');
  await page.getByText('1 image, the most alike first').waitFor();
  await page.getByRole('button', { name: 'Show all images' }).press('Enter');
  await cards.nth(2).waitFor();

  await page.locator('#files').setInputFiles(projectPath('models/tiny-vlm/golden/02-0.png'));
  await page.getByText('3 images, the most alike first').waitFor();
  t.regex((await cards.first().innerText()).replaceAll('\n', ' '), /02-0.*score (1\.000|0\.99\d)/);
  const remove = page.getByRole('button', { name: 'Delete: 02-0.png' });
  page.once('dialog', (dialog) => void dialog.dismiss());
  await remove.press('Enter');
  t.is(await cards.count(), 3, 'nothing is deleted unless it is meant');
  page.once('dialog', (dialog) => void dialog.accept());
  await remove.press('Enter');
  await page.getByText('2 images, the most alike first').waitFor();
  t.is(await page.locator('#problem').innerText(), '');
});
