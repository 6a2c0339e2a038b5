import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import sharp from 'sharp';
import { ended, submit } from './helpers/jobs.ts';
import { startWorld } from './helpers/world.ts';

const PICTURES = 60;
const WITHIN_MS = 120_000;
/** Between two faults: long enough for the next worker to be elected and to write. */
const APART_MS = 4_000;

interface Listed {
  readonly data: readonly { readonly id: string; readonly jobs: readonly string[] }[];
  readonly has_more: boolean;
}

/** A picture that no other number has. */
async function picture(number: number): Promise<string> {
  const [r, g, b] = [(number * 4) % 256, (number * 41) % 256, (number * 97) % 256];
  const create = { width: 48, height: 48, channels: 3, background: { r, g, b } } as const;
  const png = await sharp({ create }).png().toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

async function allListed(url: string): Promise<Listed['data']> {
  const response = await fetch(`${url}/v1/images?limit=100`);
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return ((await response.json()) as Listed).data;
}

test.serial(
  'index workers and the store are killed while pictures come in: each is found, and once',
  async (t) => {
    t.timeout(300_000);
    const world = await startWorld(t, { apis: 1, encoders: 1, pds: 1, indexes: 2 });
    const [url = ''] = world.urls;
    const jobs = (async () => {
      const ids: string[] = [];
      for (let number = 0; number < PICTURES; number += 1) {
        const image = { type: 'image_url', image_url: { url: await picture(number) } };
        const content = [image, { type: 'text', text: 'What?' }];
        const body = { messages: [{ role: 'user', content }], max_tokens: 2 };
        const { id } = await eventually(() => submit(url, body).catch(() => null), {
          withinMs: WITHIN_MS,
        });
        ids.push(id);
        await sleep(250);
      }
      return ids;
    })();
    for (const victims of [['index-1'], ['index-2'], ['s3'], ['index-1', 's3'], ['index-2']]) {
      await sleep(APART_MS);
      for (const name of victims) world.process(name).kill();
    }
    const ids = await jobs;
    for (const id of ids) t.is((await ended(url, id, WITHIN_MS)).status, 'completed');
    await world.ready(WITHIN_MS);
    const images = await eventually(
      async () => {
        const found = await allListed(url).catch(() => []);
        return found.length >= PICTURES && found.every(({ jobs: of }) => of.length > 0) && found;
      },
      { withinMs: WITHIN_MS },
    );
    t.is(images.length, PICTURES);
    t.is(new Set(images.map(({ id }) => id)).size, PICTURES, 'no row is doubled');
    t.deepEqual(images.flatMap(({ jobs: of }) => of).toSorted(), ids.toSorted());
  },
);
