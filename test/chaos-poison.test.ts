import { createHash } from 'node:crypto';
import test from 'ava';
import { goldenCases, pictureOf, withNonce } from '../ops/chaos/plans/golden.ts';
import { ask, ended, submit } from './helpers/jobs.ts';
import { startWorld } from './helpers/world.ts';

/** Enough that they share the encoder's hands with the culprit. */
const NEIGHBOURS = 10;
const WITHIN_MS = 150_000;

const cases = goldenCases.filter(({ images }) => images.length === 1);
const [golden] = cases;
const POISON = withNonce(pictureOf(golden!.images[0]!), 13);

const question = (file: Buffer, text: string) => ({
  messages: [
    {
      role: 'user',
      content: [
        {
          type: 'image_url',
          image_url: { url: `data:image/png;base64,${file.toString('base64')}` },
        },
        { type: 'text', text },
      ],
    },
  ],
  max_tokens: 128,
  temperature: 0,
  return_token_ids: true,
});

const FAULTS = {
  kills: { EPD_FAULT_KILL_ON_SHA256: '' },
  hangs: { EPD_FAULT_HANG_ON_SHA256: '', EPD_ENCODER_RUN_TIMEOUT_MS: '2000' },
};

for (const [does, fault] of Object.entries(FAULTS)) {
  test.serial(
    `an image that ${does} its encoder fails alone after a few attempts, and is remembered`,
    async (t) => {
      t.timeout(240_000);
      const sha256 = createHash('sha256').update(POISON).digest('hex');
      const env = Object.fromEntries(
        Object.entries(fault).map(([name, value]) => [name, value || sha256]),
      );
      const world = await startWorld(t, {
        apis: 1,
        encoders: 1,
        pds: 1,
        env: { ...env, EPD_LOCK_MS: '1500' },
      });
      const [url = ''] = world.urls;
      const neighbours = cases.slice(0, NEIGHBOURS).map(async (neighbour, index) => {
        const file = withNonce(pictureOf(neighbour.images[0]!), index);
        const { id } = await submit(url, question(file, neighbour.question));
        return { id, neighbour };
      });
      const { id } = await submit(url, question(POISON, golden!.question));
      const job = await ended(url, id, WITHIN_MS);
      t.like(job, { status: 'failed', error: { code: 'encode_poison' } });
      for (const { id: other, neighbour } of await Promise.all(neighbours)) {
        const answered = await ended(url, other, WITHIN_MS);
        t.deepEqual(
          answered.output?.token_ids,
          neighbour.token_ids,
          JSON.stringify(answered.error),
        );
      }
      const encoder = world.process('encoder-1');
      t.is(encoder.deaths, 3);
      const again = await ask(url, question(POISON, 'again?'));
      t.like(again, { status: 'failed', error: { code: 'encode_poison' } });
      t.is(encoder.deaths, 3);
    },
  );
}
