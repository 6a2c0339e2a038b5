import { eventually } from '@epd/service/testing';
import test from 'ava';
import sharp from 'sharp';
import { ask } from '../helpers/jobs.ts';
import { sharedFleet } from '../helpers/shared-fleet.ts';

const SPANS = [
  'accept job',
  'wait for an encoder',
  'preprocess',
  'encode',
  'save',
  'encode image',
  'queue',
  'load',
  'prefill',
  'decode',
];
const QUESTION = 'Which plain colour is this one?';

/** Pixels that no other test shows: they are encoded for this one. */
const plain = (): Promise<Buffer> =>
  sharp({ create: { width: 96, height: 64, channels: 3, background: '#2f6b31' } })
    .png()
    .toBuffer();

test('a question about a picture is one trace, from its submission to the last token', async (t) => {
  const fleet = await sharedFleet(t);
  const url = `data:image/png;base64,${(await plain()).toString('base64')}`;
  const content = [
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: QUESTION },
  ];
  const job = await ask(fleet.url, { messages: [{ role: 'user', content }], max_tokens: 8 });
  t.is(job.status, 'completed');
  const names = () => {
    const spans = fleet.spans();
    const first = spans.find(({ attributes }) => JSON.stringify(attributes).includes(job.id));
    return spans.filter(({ traceId }) => traceId === first?.traceId).map(({ name }) => name);
  };
  await eventually(() => SPANS.every((name) => names().includes(name)));
  t.is(names().filter((name) => name === 'accept job').length, 1);
  t.false(JSON.stringify(fleet.traces).includes(QUESTION.slice(0, 12)));
});
