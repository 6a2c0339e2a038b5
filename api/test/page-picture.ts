/**
 * `node api/test/page-picture.ts [URL]`: makes the picture of the page that the README shows, `docs/page.webp`, from
 * a fleet that runs at the URL, http://localhost:8080 if none is given, and has not seen the page's samples yet.
 */
import { writeFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { launchChromium } from './helpers/chromium.ts';

const url = process.argv[2] ?? 'http://localhost:8080';
const VIEW = { width: 1180, height: 900 };
/** Of 100: letters stay sharp, and the file small. */
const QUALITY = 82;

const browser = await launchChromium();
const page = await browser.newPage({ viewport: VIEW, colorScheme: 'light' });
await page.goto(url);
await page.locator('#toy').waitFor();

await ask('What color is the ring?', 'Coloured shapes');
await ask('Which image has a red ring?', 'A bear', 'A word');
const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
await page.setViewportSize({ ...VIEW, height });
const devtools = await page.context().newCDPSession(page);
const { data } = await devtools.send('Page.captureScreenshot', {
  format: 'webp',
  quality: QUALITY,
});
await writeFile(projectPath('docs/page.webp'), Buffer.from(data, 'base64'));
await browser.close();

/** Adds samples to those that are chosen already. */
async function ask(question: string, ...samples: string[]): Promise<void> {
  for (const name of samples) await page.getByRole('button', { name, exact: true }).click();
  await page.fill('#question', question);
  await page.click('#submit');
  await page.locator('#asked', { hasText: question }).waitFor();
  await page.locator('#status.completed').waitFor();
  await page.locator('#recent li', { hasText: question }).locator('.completed').waitFor();
  await page.evaluate('document.activeElement.blur()');
}
