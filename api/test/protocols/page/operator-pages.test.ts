import test from 'ava';
import { launchChromium } from '../../helpers/chromium.ts';
import { post, question } from '../../helpers/requests.ts';
import { listen } from '../../helpers/sse-client.ts';
import { testApi } from '../../helpers/test-api.ts';

const ADMIN = 'the-admin-key-of-tests';

test('a browser asks for the admin key as a password, and shows the queues', async (t) => {
  const { app } = await testApi(t, { adminKey: ADMIN });
  const authorization = `Bearer ${ADMIN}`;
  await post(app, '/v1/jobs', question('?'), { authorization });
  const base = await listen(app);
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const context = await browser.newContext({
    httpCredentials: { username: 'admin', password: ADMIN },
  });
  const page = await context.newPage();
  await page.goto(`${base}/admin/queues`);
  await page.getByText('generate-tiny-vlm').first().waitFor();
  t.pass();
});

test('the description of the API is shown, and takes nothing from elsewhere', async (t) => {
  const { app } = await testApi(t);
  const base = await listen(app);
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(base))
      elsewhere.push(request.url());
  });
  await page.goto(`${base}/docs/`);
  await page.getByText('Submit a job').first().waitFor();
  await page.evaluate('document.fonts.ready.then(() => true)');
  t.deepEqual(elsewhere, []);
});
