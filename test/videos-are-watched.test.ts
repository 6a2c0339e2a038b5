import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import { startFleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask } from './helpers/jobs.ts';

const RATE = 2;
/** One a second of a model that takes three: of six frames in three seconds the first, the middle and the last. */
const SHOWN = [0, 2, 5];

interface ImagePart {
  readonly image_url: { readonly url: string };
}

const pictures = goldenCases
  .filter(({ images }) => images.length === 1)
  .slice(0, 6)
  .map((golden) => (goldenJob(golden) as { messages: [{ content: ImagePart[] }] }).messages[0])
  .map(({ content }) => content[0]?.image_url.url ?? '');

const text = (of: string) => ({ type: 'text', text: of });

test('a video is shown as its model was trained to see one: sampled frames, each behind its time', async (t) => {
  t.timeout(120_000);
  const model = join(await tempFolder(t), 'tiny-video');
  await cp(projectPath('models/tiny-vlm'), model, { recursive: true });
  const file = join(model, 'preprocessor_config.json');
  const sampling = { fps: 1, max_frames: 3, video_size: { longest_edge: 128 } };
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, video_sampling: sampling }));
  const fleet = await startFleet(t, { env: { EPD_MODEL: model } });

  const question = { type: 'text', text: 'What is it?' };
  const send = (content: object[]) =>
    ask(fleet.url, {
      messages: [{ role: 'user', content }],
      max_tokens: 16,
      temperature: 0,
      return_token_ids: true,
    });
  const watched = await send([{ type: 'video', video: pictures, fps: RATE }, question]);
  // Golden pictures have the size of a frame: what is not cut is the same either way.
  const spelled = await send([
    text('You are provided the following series of three frames from a 0:00:03 [H:MM:SS] video.\n'),
    ...SHOWN.flatMap((index) => [
      text(`\nFrame from 00:0${Math.floor(index / RATE)}:`),
      { type: 'image_url', image_url: { url: pictures[index] } },
    ]),
    text('\n\n'),
    question,
  ]);
  t.is(watched.status, 'completed');
  t.is(watched.usage?.images.encoded, 3, 'frames that are not shown are not encoded');
  t.deepEqual(watched.output?.token_ids, spelled.output?.token_ids);
  const again = await send([{ type: 'video', video: pictures, fps: RATE }, question]);
  t.is(again.usage?.images.encoded, 0);

  const post = async (content: object[]) => {
    const response = await fetch(`${fleet.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content }] }),
    });
    const { error } = (await response.json()) as { error?: { param: string; message: string } };
    return [response.status, error?.param];
  };
  t.deepEqual(await post([{ type: 'video', video: ['data:image/png;base64,AA'], fps: 1 }]), [
    400,
    'messages[0].content[0].video[0]',
  ]);
  t.deepEqual(await post([{ type: 'video', video: pictures }]), [
    400,
    'messages[0].content[0].fps',
  ]);
});
