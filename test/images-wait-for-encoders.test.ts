import { eventually } from '@epd/service/testing';
import test from 'ava';
import { startFleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask, ended, read, submit } from './helpers/jobs.ts';

const withImage = goldenCases.find(({ images }) => images.length === 1)!;
const textOnly = goldenCases.find(({ images }) => images.length === 0)!;

test.serial(
  'text is answered with no encoder running; an image waits, says so, and is answered when one joins',
  async (t) => {
    t.timeout(90_000);
    const fleet = await startFleet(t, { encoders: 0 });
    const waiting = await submit(fleet.url, goldenJob(withImage));
    const text = await ask(fleet.url, goldenJob(textOnly));
    t.deepEqual(text.output?.token_ids, textOnly.token_ids);
    const detail = await eventually(async () => (await read(fleet.url, waiting.id)).status_detail);
    t.regex(detail, /encoder/);
    fleet.start('encoder');
    const job = await ended(fleet.url, waiting.id);
    t.deepEqual(job.output?.token_ids, withImage.token_ids);
  },
);
